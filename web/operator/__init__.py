"""The operator's pages: the chain, look-up, dead letters, analysts' rules."""
