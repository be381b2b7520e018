"""What can go wrong with the environment."""


class LocalError(Exception):
    """The environment cannot do what was asked; the message says why and what to do."""
