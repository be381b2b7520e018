"""Account Alerts: tells a bank's customers, within a tenth of a second, what happens on their accounts."""

import zoneinfo

# Python takes the machine's time zones before those of the package `tzdata`, and an image's are a year old.
# What is pinned decides, in every process: all of them import something of this package.
zoneinfo.reset_tzpath(())
