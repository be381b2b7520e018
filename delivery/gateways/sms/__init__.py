"""SMS by SMPP 3.4 or by HTTP."""
