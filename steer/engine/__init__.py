"""Engines: rows, schedule, step loop."""
