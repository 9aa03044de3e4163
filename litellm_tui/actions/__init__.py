"""What changes the world: restart, rollback, edits, probes and drills. `--read-only` opens none of it."""
