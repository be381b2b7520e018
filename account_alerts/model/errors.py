"""The project's errors: one tree, so that a caller catches what it can handle by its cause.

    AlertsError
    ├── ConfigError          the configuration cannot be used
    ├── UnreachableError     Kafka, Flink, PostgreSQL, a broker or a service does not answer, or refuses
    ├── InvalidRecordError   a record, message or file entry breaks its contract
    ├── InvalidRequestError  what a user or a client asks for cannot be done as it was asked
    ├── NotFoundError        what was asked for does not exist
    └── OperationError       an operation on an installation failed, or may not be done now

Each module derives its own classes from these where its callers tell causes apart. A message is made to be
read by the user: it names what is wrong and what to do. The command line prints it without a stack trace.
"""


class AlertsError(Exception):
    """Stand for every error that this project raises on purpose."""


class ConfigError(AlertsError):
    """The configuration cannot be used; the message names each wrong key and its remedy."""


class UnreachableError(AlertsError):
    """A system that this one needs does not answer, or refuses; the message names its address."""


class InvalidRecordError(AlertsError, ValueError):
    """A record breaks its contract; the message is the reason that its dead letter carries."""


class InvalidRequestError(AlertsError):
    """A user or a client asks for something impossible; the message says what would be possible."""


class NotFoundError(AlertsError):
    """What was asked for does not exist."""


class OperationError(AlertsError):
    """An operation on an installation failed or may not be done now; the message says why, and the remedy."""
