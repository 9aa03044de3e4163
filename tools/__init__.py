"""Commands for maintainers; not part of the package that is installed."""
