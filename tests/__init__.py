"""Tests of Account Alerts."""
