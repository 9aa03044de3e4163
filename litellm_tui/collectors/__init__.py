"""Readers of the gateway, the configuration file, LiteLLM's source and Redis. They judge nothing."""
