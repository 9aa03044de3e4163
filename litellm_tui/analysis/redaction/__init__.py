"""Masking of secrets: by the names that hold them, by their shapes, and by known values."""
