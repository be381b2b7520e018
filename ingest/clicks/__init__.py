"""The endpoint that takes events of the bank's web pages and app, and writes them to `click-events`."""
