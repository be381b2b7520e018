"""Runs the tool where its script is not installed: `python -m alerts_cli`."""

from alerts_cli.main import main

main()
