"""The audit of a configuration: its rules, the catalogue of what LiteLLM reads, and the run. Pure, without I/O."""
