"""The Flink jobs, each a file that reads top to bottom as the data flows."""
