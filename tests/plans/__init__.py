"""What Flink makes of the jobs, as golden files."""
