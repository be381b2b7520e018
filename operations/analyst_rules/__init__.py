"""Analysts' rules: files in SQL, tried on what has been, started and stopped as jobs of their own."""
