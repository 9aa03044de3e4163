"""The frozen records that the other packages exchange, one module a subject; it imports nothing else of the package."""
