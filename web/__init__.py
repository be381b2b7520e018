"""The web application: the customer's pages, the operator's pages, and the API for a bank's own app."""
