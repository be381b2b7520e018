"""Steers a running installation, on the laptop or a cluster: jobs, analysts' rules, records, databases."""
