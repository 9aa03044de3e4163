"""An operator console for a LiteLLM gateway."""

__version__ = "0.1.0"
