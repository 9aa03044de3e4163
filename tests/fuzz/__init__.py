"""Parsers fed from their own patterns and from mutated recordings: nothing raised, and linear in time."""
