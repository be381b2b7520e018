"""Reminders of applications that were begun and not finished."""
