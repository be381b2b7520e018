"""What all tests share."""

import os

# The Java processes that tests start from Python live for seconds: the second compiler would never pay. What
# the local environment starts doesn't get this variable.
os.environ.setdefault("JVM_ARGS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
