"""`make install`: everything the project needs, into `.venv`. Run from a checkout; in no wheel."""
