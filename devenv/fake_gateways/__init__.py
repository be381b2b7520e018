"""What the senders talk to locally: a mail server, an SMSC, and push services that keep what they are given.

They are real servers of the real protocols. Some addresses answer as a bad day would, for tests and demos:

| address | answer |
|---|---|
| a mail address at `refused.example` | 550, no such user |
| a mail address at `nowhere.example` | 556, its domain takes no mail |
| a mail address at `busy.example` | 451, try again |
| a phone number that begins with 9990 | no such number |
| ... with 9991 | throttled at a message's first attempt |
| ... with 9992 | taken, and the receipt says that it did not arrive |
| a device whose id begins with `gone` (APNs: `dead`) | the device is gone |
| ... with `busy` (APNs: `b0`) | too many requests, at a push's first attempt |
"""

from account_alerts.model.alerts import Channel

INBOXES = {Channel.EMAIL: "mail", Channel.SMS: "sms", Channel.PUSH: "push"}
"""By each channel: where its messages are found, as `alerts inbox` names it."""
