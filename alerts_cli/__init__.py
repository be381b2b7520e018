"""The command-line tool `alerts`: one module a group of commands, put together by `main.py`."""
