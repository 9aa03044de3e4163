"""Failures in the log: their causes, the deployments concerned, and the incidents they form."""
