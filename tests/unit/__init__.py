"""Tests of single parts, without Kafka or Flink."""
