"""The device service: which devices of a customer take push messages.

A bank has its own; this one is small, and real (docs/guides/connect-your-bank/devices.md).
"""
