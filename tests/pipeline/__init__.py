"""The contract, line by line, against the running chain."""
