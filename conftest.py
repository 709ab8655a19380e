"""What holds for all tests, wherever they lie."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, settings

# Longer than this is begun first: a test of minutes that comes last would be waited for alone.
_LONG_SECONDS = 300

# That a machine is busy is no fault of what a property test tests.
settings.register_profile(
    "busy machine", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that say they may take longest; all others stay in their order."""
    items.sort(key=lambda item: -_seconds_max(item) if _seconds_max(item) >= _LONG_SECONDS else 0)


def _seconds_max(item: pytest.Item) -> float:
    mark = item.get_closest_marker("timeout")
    words: Sequence[object] = () if mark is None else mark.args
    return float(str(words[0])) if words else 0.0
