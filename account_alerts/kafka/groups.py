"""The consumer groups that Python programs read with; the jobs' groups stand in their SQL."""

TOOL = "alerts-tool"
"""Of whoever reads without committing: the tool, and the components when they start."""
PUBLISHER = "publisher"
PROFILES = "profiles"
SENDER_PREFIX = "sender-"
"""Then comes the channel in small letters."""
