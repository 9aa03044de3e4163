"""Releases of LiteLLM that are compromised, have known holes, or were withdrawn; and how versions compare."""
