"""The contract, line by line, against the running pipeline."""
