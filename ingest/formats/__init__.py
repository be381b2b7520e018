"""Message formats: bytes to bookings. Knows neither queue nor Kafka."""
