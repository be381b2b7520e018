"""What the statuses of an SMSC mean: command_status of SMPP 3.4, section 5.1.3."""

from collections.abc import Mapping

from delivery.gateways.outcomes import About, Meaning

QUEUE_FULL, THROTTLED = 0x14, 0x58


def _meaning(about: About, what: str) -> Meaning:
    return Meaning(about, f"SMPP 3.4, 5.1.3: {what}")


STATUSES: Mapping[int, Meaning] = {
    0x01: _meaning(About.MESSAGE, "message length is invalid"),
    0x02: _meaning(About.US, "command length is invalid"),
    0x03: _meaning(About.US, "invalid command id"),
    0x04: _meaning(About.US, "incorrect bind status for the command"),
    0x05: _meaning(About.US, "already bound"),
    0x06: _meaning(About.US, "invalid priority flag"),
    0x07: _meaning(About.US, "invalid registered delivery flag"),
    0x08: _meaning(About.LATER, "system error"),
    0x0A: _meaning(About.US, "invalid source address"),
    0x0B: _meaning(About.ADDRESS, "invalid destination address"),
    0x0D: _meaning(About.US, "bind failed"),
    0x0E: _meaning(About.US, "invalid password"),
    0x0F: _meaning(About.US, "invalid system id"),
    QUEUE_FULL: _meaning(About.LATER, "message queue full"),
    0x15: _meaning(About.US, "invalid service type"),
    0x33: _meaning(About.US, "invalid number of destinations"),
    0x34: _meaning(About.US, "invalid distribution list name"),
    0x40: _meaning(About.US, "invalid destination flag"),
    0x42: _meaning(About.US, "invalid submit with replace"),
    0x43: _meaning(About.US, "invalid esm_class"),
    0x44: _meaning(About.US, "cannot submit to the distribution list"),
    0x45: _meaning(About.LATER, "submit failed, whatever the reason"),
    0x48: _meaning(About.US, "invalid source TON"),
    0x49: _meaning(About.US, "invalid source NPI"),
    0x50: _meaning(About.US, "invalid destination TON, which is the same for all"),
    0x51: _meaning(About.US, "invalid destination NPI, which is the same for all"),
    0x53: _meaning(About.US, "invalid system_type"),
    0x54: _meaning(About.US, "invalid replace_if_present"),
    0x55: _meaning(About.US, "invalid number of messages"),
    THROTTLED: _meaning(About.LATER, "throttling"),
    0x61: _meaning(About.US, "invalid scheduled delivery time"),
    0x62: _meaning(About.US, "invalid validity period"),
    0x63: _meaning(About.US, "predefined message invalid or not found"),
    0x64: _meaning(About.LATER, "temporary error of the receiver's application"),
    0x65: _meaning(About.UNKNOWN, "permanent error of the receiver's application"),
    0x66: _meaning(About.UNKNOWN, "the receiver rejects the message"),
    0xC0: _meaning(About.US, "error in the optional part"),
    0xC1: _meaning(About.US, "optional parameter not allowed"),
    0xC2: _meaning(About.US, "invalid parameter length"),
    0xC3: _meaning(About.US, "expected optional parameter missing"),
    0xC4: _meaning(About.US, "invalid optional parameter value"),
    0xFE: _meaning(About.UNKNOWN, "delivery failure"),
    0xFF: _meaning(About.LATER, "unknown error"),
}
DEFAULT = _meaning(About.UNKNOWN, "reserved, or the vendor's own")


def meaning(status: int) -> Meaning:
    """Say what a command_status other than 0 is about."""
    return STATUSES.get(status, DEFAULT)
