"""Benchmarks, each the whole way of what it measures: `python -m bench --help`.

From Kafka to Kafka (throughput, latency, cost of state), from a booking to the customer's gateway, and each
component by itself.
"""
