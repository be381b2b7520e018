"""All routes of the API."""

from web.api import accounts, addresses, consents, customer, messages, settings

ROUTERS = tuple(part.router for part in (customer, accounts, settings, addresses, messages, consents))
