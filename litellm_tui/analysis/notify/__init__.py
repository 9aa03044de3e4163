"""Whom to tell what, and how each receiver wants it written: pure functions."""
