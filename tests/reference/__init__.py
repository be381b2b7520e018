"""A plain Python reading of the data contract, to compare the jobs with."""
