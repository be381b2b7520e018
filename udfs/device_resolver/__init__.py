"""Push alerts to the alerts of single devices."""
