"""Decisions from a snapshot: pure functions without I/O and without a clock of their own."""
