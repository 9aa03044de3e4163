"""The log filter's language: terms, fields, times and patterns."""
