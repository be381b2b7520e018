"""Property tests judge what is computed, not how quick a busy machine is, and the same each time.

`HYPOTHESIS_PROFILE=search` looks at other examples in each run, and at many: to find what is not known yet.
"""

import os

from hypothesis import HealthCheck, settings

_QUIET = [HealthCheck.too_slow]
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=_QUIET)
settings.register_profile("search", deadline=None, max_examples=10_000, suppress_health_check=_QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
