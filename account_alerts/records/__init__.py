"""The records of the data contract: from bytes, to bytes, and whether they are valid."""
