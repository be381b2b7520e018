"""The process that sends the alerts of one channel."""
