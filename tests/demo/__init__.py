"""Tests of the simulated gateway: it must answer, start, stop and log like the real one that was recorded."""
