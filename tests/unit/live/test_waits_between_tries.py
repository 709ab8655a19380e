"""How long a request waits of which it is proved that nothing happened."""

import pytest

from tradecore.runtime.live.retries import Retries

PLACEMENT, MODIFICATION, QUESTIONS = Retries().placement, Retries().modification, Retries().data
MS = 1_000_000
PLACEMENT = Retries().placement
NAMES = [f"order-{number}" for number in range(400)]


@pytest.mark.parametrize(
    ("policy", "tries_max", "waits_ms"),
    [
        (Retries().placement, 5, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]),
        (Retries().modification, 4, [200, 400, 800, 1_600, 3_000, 3_000]),
        (Retries().data, 3, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]),
    ],
)
def test_waits_double_up_to_the_longest_and_spread_over_their_upper_half(policy, tries_max, waits_ms):
    """A thousand requests that failed together come back spread evenly over half of the wait."""
    assert policy.tries_max == tries_max
    for tries, wait_ms in enumerate(waits_ms, 1):
        found = sorted(policy.wait_ns(tries, 0, name) for name in NAMES)
        half = wait_ms * MS // 2
        assert half <= found[0] < half * 1.05
        assert half * 1.95 < found[-1] <= half * 2
        assert half * 1.4 < found[len(found) // 2] < half * 1.6
        assert len(set(found)) == len(NAMES)


def test_no_number_of_tries_makes_the_wait_longer_than_the_longest():
    """Nor is it too large to be worked out."""
    assert PLACEMENT.wait_ns(10_000, 0, "a") <= 5_000 * MS


def test_the_same_request_waits_the_same_and_another_try_of_it_otherwise():
    """So the same run waits the same times."""
    assert PLACEMENT.wait_ns(7, 0, "a") == PLACEMENT.wait_ns(7, 0, "a")
    assert PLACEMENT.wait_ns(7, 0, "a") != PLACEMENT.wait_ns(8, 0, "a")


def test_what_the_venue_asks_for_is_waited_at_least():
    """A longer wait of our own stays as it is."""
    own = PLACEMENT.wait_ns(1, 0, "a")
    assert PLACEMENT.wait_ns(1, own + 1, "a") == own + 1
    assert PLACEMENT.wait_ns(1, own - 1, "a") == own
