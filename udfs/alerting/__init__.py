"""What the job alerting runs in Python besides the alerts themselves."""
