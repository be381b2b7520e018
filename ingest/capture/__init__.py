"""Change data capture: the bank's tables become the topics of the contract."""
