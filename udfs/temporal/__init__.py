"""Decide when everything up to a Kafka time has been read, and look up what held at that time."""
