"""Lines of the log: from their forms to facts, counters and the store."""
