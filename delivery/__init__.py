"""Delivery: from the outbound topics to the customers, by e-mail, SMS and push."""
