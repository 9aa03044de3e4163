"""A restart as a transaction: preflight, backup, restart, proof, and back again when the proof fails."""
