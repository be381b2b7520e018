"""What every long-running process shares: start and stop, metrics and health, clock, back-off, rate limit."""
