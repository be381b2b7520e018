"""The programs of the local environment: how each is configured, started, and found to be ready."""
