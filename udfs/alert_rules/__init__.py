"""Authorizations and settings, folded to the rules of each account."""
