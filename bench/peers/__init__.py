"""The same alerts made by a Kafka Streams application, which is measured in turns with the alerting job."""
