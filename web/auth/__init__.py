"""Who makes a request: the login at the bank's OpenID provider, sessions, bearer tokens, roles."""
