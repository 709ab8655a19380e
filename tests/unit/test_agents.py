"""The agents of the simulated exchange and the feed they make."""

import hashlib
import os
import subprocess
import sys
from itertools import pairwise

import pytest

from tradecore.domain import InvalidValueError
from tradecore.sim.agents import AgentCrowd, AgentMarket
from tradecore.sim.simulated_exchange import DEMO_INSTRUMENTS, DEMO_MARKETS, START_NS, SimulatedExchangeFeed

SECOND_NS = 1_000_000_000

PRINT_DIGEST = """
import hashlib
from tradecore.sim.agents import AgentCrowd
from tradecore.sim.simulated_exchange import DEMO_MARKETS

class Digest:
    def __init__(self):
        self.hash = hashlib.sha256()
    def take(self, *what):
        self.hash.update(repr(what).encode())
    flow_limit = flow_market = flow_cancel = take

sink = Digest()
AgentCrowd(DEMO_MARKETS, seed=7, start_ns=0).run_until(2_000_000_000, sink)
print(sink.hash.hexdigest())
"""


class Recorder:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.flow: list[tuple] = []

    def flow_limit(self, *what) -> None:
        """Keep a limit order."""
        self.flow.append(("limit", *what))

    def flow_market(self, *what) -> None:
        """Keep a market order."""
        self.flow.append(("market", *what))

    def flow_cancel(self, *what) -> None:
        """Keep a cancel."""
        self.flow.append(("cancel", *what))


class SteppingClock:
    """A clock that jumps to where it is asked to sleep until."""

    def __init__(self, now_ns: int) -> None:
        self.time_ns = now_ns
        self.woken: list[int] = []

    def now_ns(self) -> int:
        """Return where it stands."""
        return self.time_ns

    async def sleep_until(self, time_ns: int, /) -> None:
        """Jump and remember."""
        self.time_ns = max(self.time_ns, time_ns)
        self.woken.append(time_ns)


def flow_of(*, seed: int, seconds: float, step_ns: int, markets=DEMO_MARKETS) -> list[tuple]:
    """Run a crowd in steps and return its flow."""
    crowd, recorder = AgentCrowd(markets, seed=seed, start_ns=START_NS), Recorder()
    end_ns = START_NS + int(seconds * SECOND_NS)
    time_ns = START_NS
    while time_ns < end_ns:
        time_ns = min(time_ns + step_ns, end_ns)
        crowd.run_until(time_ns, recorder)
    return recorder.flow


async def spans_of(feed: SimulatedExchangeFeed, **options) -> list[tuple[int, int, int]]:
    """Return length, first and last time of every batch."""
    return [(len(batch), batch.first_time_ns, batch.last_time_ns) async for batch in feed.batches(**options)]


def test_the_same_seed_gives_the_same_flow_whatever_the_steps():
    """Pacing cuts the flow into other slices and changes nothing else."""
    whole = flow_of(seed=7, seconds=3, step_ns=3 * SECOND_NS)

    assert flow_of(seed=7, seconds=3, step_ns=7_000_001) == whole
    assert flow_of(seed=8, seconds=3, step_ns=3 * SECOND_NS) != whole


def test_a_shorter_run_is_the_beginning_of_a_longer_one():
    """The duration cuts the flow and decides nothing else."""
    long = flow_of(seed=3, seconds=2, step_ns=SECOND_NS)
    short = flow_of(seed=3, seconds=1, step_ns=SECOND_NS)

    assert long[: len(short)] == short
    assert len(long) > len(short)


def test_the_flow_does_not_depend_on_the_hash_seed_of_the_process():
    """Nothing is ordered by hash: two processes with other hash seeds give the same bytes."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", PRINT_DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("0", "1", "4711")
    }

    assert len(digests) == 1
    assert len(digests.pop()) == hashlib.sha256().digest_size * 2


def test_one_more_market_changes_nothing_in_the_first():
    """Every market draws its chances apart."""
    alone = flow_of(seed=5, seconds=1, step_ns=SECOND_NS, markets=DEMO_MARKETS[:1])
    both = flow_of(seed=5, seconds=1, step_ns=SECOND_NS)

    assert [what for what in both if what[2] == 0] == alone


def test_times_never_fall_and_numbers_are_used_once():
    """A batch takes the flow as it comes, and a cancel names an order that was sent before."""
    flow = flow_of(seed=1, seconds=2, step_ns=SECOND_NS)
    times = [what[1] for what in flow]
    sent: set[tuple[int, int]] = set()
    for kind, _, instrument_id, *rest in flow:
        name = (instrument_id, rest[0])
        if kind == "limit":
            assert name not in sent
            sent.add(name)
            assert rest[2] >= 1
            assert rest[3] >= 1
        elif kind == "cancel":
            assert name in sent
        else:
            assert rest[1] >= 1

    assert times == sorted(times)
    assert times[0] == START_NS


def test_the_demo_markets_trade_between_one_and_two_thousand_times_a_second():
    """The demo is busy without being a load test."""
    seconds = 10
    count = len(flow_of(seed=7, seconds=seconds, step_ns=SECOND_NS))

    assert len(DEMO_INSTRUMENTS) == len(DEMO_MARKETS)
    assert 1_000 <= count / seconds <= 2_000


@pytest.mark.parametrize(
    "field",
    ["start_ticks", "lots_mean", "makers", "patient_makers", "distance_ppm", "takers", "volatility_ppm"],
)
def test_a_market_that_cannot_have_two_sides_is_refused(field):
    """The error names the field."""
    values = {"instrument_id": 0, "start_ticks": 100_000}
    with pytest.raises(InvalidValueError) as caught:
        AgentMarket(**{**values, field: -1})

    assert caught.value.field == field


def test_two_markets_of_one_instrument_are_refused():
    """Numbers of orders are unique per instrument, so two crowds cannot share one."""
    with pytest.raises(InvalidValueError):
        AgentCrowd((DEMO_MARKETS[0], DEMO_MARKETS[0]), seed=1, start_ns=0)
    with pytest.raises(InvalidValueError):
        AgentCrowd((), seed=1, start_ns=0)


async def test_the_feed_ends_after_its_duration_with_no_empty_batch():
    """Batches have events, follow each other in time and stay within the run."""
    spans = await spans_of(SimulatedExchangeFeed(seed=7, duration_ns=3 * SECOND_NS))

    assert all(length > 0 for length, _, _ in spans)
    assert all(before[2] <= after[1] for before, after in pairwise(spans))
    assert (spans[0][1], spans[-1][2] < START_NS + 3 * SECOND_NS) == (START_NS, True)
    assert sum(length for length, _, _ in spans) == len(flow_of(seed=7, seconds=3, step_ns=SECOND_NS))


async def test_a_restarted_feed_goes_on_where_it_is_told_to():
    """`skip_events` leaves out exactly the events that the journal has already."""
    feed = SimulatedExchangeFeed(seed=7, duration_ns=2 * SECOND_NS)
    whole = await spans_of(feed)
    total = sum(length for length, _, _ in whole)

    for skip in (0, 1, whole[0][0], whole[0][0] + 1, total - 1, total, total + 5):
        rest = await spans_of(feed, skip_events=skip)
        assert sum(length for length, _, _ in rest) == max(total - skip, 0)
        assert rest == [] or rest[-1][2] == whole[-1][2]


async def test_a_paced_feed_delivers_each_slice_when_its_time_has_come():
    """The clock decides when, never what; the wait starts with the first slice that is delivered."""
    clock = SteppingClock(now_ns=5_000)
    paced = SimulatedExchangeFeed(seed=7, duration_ns=SECOND_NS, clock=clock)
    spans = await spans_of(paced)
    free = await spans_of(SimulatedExchangeFeed(seed=7, duration_ns=SECOND_NS))

    assert sum(length for length, _, _ in spans) == sum(length for length, _, _ in free)
    for woken_ns, (_, _, last_ns) in zip(clock.woken, spans, strict=True):
        assert 0 < (woken_ns - 5_000) - (last_ns - START_NS) <= 20_000_000
    clock.woken.clear()
    start_ns = clock.now_ns()
    await spans_of(paced, skip_events=1_800)
    assert clock.woken[0] - start_ns == 20_000_000


async def test_a_closed_feed_ends():
    """`aclose` may be called twice and while batches are taken."""
    feed = SimulatedExchangeFeed(seed=7, duration_ns=3_600 * SECOND_NS)
    taken = 0
    async for _ in feed.batches():
        taken += 1
        if taken == 3:
            await feed.aclose()
            await feed.aclose()

    assert taken == 3
    assert await feed.request_snapshot(0) is False


def test_a_feed_without_duration_is_refused():
    """A run that would have no event is a mistake of the caller."""
    with pytest.raises(InvalidValueError):
        SimulatedExchangeFeed(seed=7, duration_ns=0)
