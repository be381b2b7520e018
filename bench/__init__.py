"""Measures the chain from Kafka to Kafka: throughput, latency, and cost as the number of accounts grows.

python -m bench --help
"""
