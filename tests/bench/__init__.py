"""Measures the console as ratios within one run: `python -m tests.bench`."""
