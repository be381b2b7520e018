"""The customer's pages: their alerts, their messages, how they are reached."""
