"""Account Alerts: tells a bank's customers, within a tenth of a second, what happens on their accounts."""
