"""Kafka: clients, topics, dead letters, rights."""
