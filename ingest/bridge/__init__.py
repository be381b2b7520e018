"""The account entry bridge: messages of a queue become bookings on Kafka."""
