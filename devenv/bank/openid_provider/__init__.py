"""The OpenID provider of the local environment: anybody logs in as anybody, by one click."""
