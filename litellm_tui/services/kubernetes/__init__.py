"""A Deployment of a Kubernetes cluster, reached through the user's own kubectl."""
