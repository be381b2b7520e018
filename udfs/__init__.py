"""The Python that Flink calls: small pure functions and the table functions around them."""
