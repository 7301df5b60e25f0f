"""Sweeps: where and how strongly an intervention acts best."""
