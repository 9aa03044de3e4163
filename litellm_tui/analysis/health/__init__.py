"""Verdicts on gateway, service, cache, deployments and groups, and the problems and header made of them."""
