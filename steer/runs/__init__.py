"""Stored runs: specs whose units are done once, whatever stops in between."""
