"""Programs that stand in for ones that cannot run everywhere."""
