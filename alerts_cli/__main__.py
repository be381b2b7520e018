"""Run the tool where it is not installed as a command: `python -m alerts_cli`."""

from alerts_cli.main import main

main()
