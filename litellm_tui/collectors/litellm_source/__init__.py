"""LiteLLM's own source, read without importing it."""
