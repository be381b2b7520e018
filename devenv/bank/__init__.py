"""The bank around the chain: its database, its queue's messages, its device service, its web pages."""
