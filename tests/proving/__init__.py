"""Starts the real LiteLLM on configurations, by the dozen: what a rule of the audit claims is seen to happen."""
