"""Flink: its REST interface, its client, savepoints, and whether a job is healthy."""
