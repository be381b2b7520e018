"""What brings bookings, settings and clicks into Kafka."""
