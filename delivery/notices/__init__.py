"""Sends the notices that the web application writes into the bank's database: codes, tests, changes."""
