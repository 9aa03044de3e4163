"""What LiteLLM reads of a configuration, per version: records that collectors fill and the rules read."""
