"""How long a venue asks to wait, and what a replay sends when."""

import asyncio

import pytest

from support.sessions import FakeClock
from tradecore_binance import replay_server
from tradecore_binance.capture_feed import _Pace
from tradecore_binance.replay_server import ReplayServer
from tradecore_binance.rest import NANOSECONDS_PER_SECOND, _retry_after_ns


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 30),
        ("", 30),
        ("0", 0),
        ("7", 7),
        ("9" * 9, 999_999_999),
        ("9" * 10, 30),
        ("-1", 30),
        ("1.5", 30),
        ("²", 30),
    ],
)
def test_half_a_minute_is_waited_where_the_venue_names_no_time_that_makes_sense(header, seconds):
    """Its own time holds where it does: whole seconds of at most nine digits."""
    assert _retry_after_ns(header) == seconds * NANOSECONDS_PER_SECOND


@pytest.mark.parametrize(("speed", "waits"), [(0.0, []), (1.0, [2.0, 1.0]), (4.0, [0.5, 0.25])])
async def test_a_replay_keeps_the_times_of_its_capture(tmp_path, monkeypatch, speed, waits):
    """From the first line on, so many times faster; without a speed it waits for nothing."""
    path = tmp_path / "capture"
    seconds = (100, 102, 102, 103)
    path.write_bytes(b"".join(b'%d {"stream":"a@trade"}\n' % (second * 10**9) for second in seconds))
    loop, now, waited, sent = asyncio.get_running_loop(), [5_000.0], [], []

    async def sleep(left):
        waited.append(left)
        now[0] += left

    async def send(payload):
        sent.append(payload)

    server = ReplayServer(path, speed=speed)
    server._has_client.set()
    monkeypatch.setattr(loop, "time", lambda: now[0])
    monkeypatch.setattr(replay_server.asyncio, "sleep", sleep)
    monkeypatch.setattr(server, "_send", send)
    await server._play()

    assert waited == waits
    assert sent == [b'{"stream":"a@trade"}'] * 4
    assert server.finished.is_set()


@pytest.mark.parametrize(
    ("speed", "due"), [(1.0, [500, 650, 800]), (2.0, [500, 575, 650]), (0.5, [500, 800, 1_100])]
)
async def test_a_capture_is_told_at_its_pace(speed, due):
    """The first event at once, each other one as far behind it as it was."""
    clock = FakeClock(500)
    pace = _Pace(clock, speed)
    for time_ns, due_ns in zip((100, 250, 400), due, strict=True):
        await pace.wait_for(time_ns)
        assert clock.now_ns() == due_ns
        assert pace.now_ns() == time_ns
