"""What the wire takes, how a reader gets its frames, and how long is waited: each at its boundary."""

import asyncio

import msgspec
import pytest

from support.sessions import FakeClock
from tradecore.domain.errors import InvalidValueError
from tradecore.testkit.local_venue.faults import FaultKind, FaultRule
from tradecore_local import wire
from tradecore_local.server import outbox
from tradecore_local.server.outbox import Outbox
from tradecore_local.steps import STEPS_MAX, Steps
from tradecore_local.waiting import wait_until_closed

BODIES = {
    wire.OrderBody: {"symbol": "X", "side": "buy", "kind": "market", "quantity": "1"},
    wire.NameBody: {},
    wire.AmendBody: {"quantity": "1"},
    wire.SnapshotWish: {"snapshot": "X"},
}


@pytest.mark.parametrize("kind", BODIES, ids=lambda kind: kind.__name__)
def test_a_request_with_a_word_that_is_not_known_is_refused(kind):
    """A misspelt `post_only` must not become an order that takes."""
    assert isinstance(msgspec.convert(BODIES[kind], kind), kind)
    with pytest.raises(msgspec.ValidationError, match="postonly"):
        msgspec.convert({**BODIES[kind], "postonly": True}, kind)


def test_what_an_order_does_not_say_is_the_plainest():
    """It rests until it is cancelled, may take, and may open a position."""
    order = msgspec.convert(BODIES[wire.OrderBody], wire.OrderBody)

    assert msgspec.structs.asdict(order) == {
        **BODIES[wire.OrderBody],
        "client_order_id": "",
        "price": None,
        "time_in_force": "gtc",
        "expire_ns": None,
        "post_only": False,
        "reduce_only": False,
        "ticket": msgspec.UNSET,
    }


@pytest.mark.parametrize(
    ("step", "text", "count"),
    [
        ("0.01", "1.25", 125),
        ("0.01", "-1.25", -125),
        ("5", "15", 3),
        ("5", "0", 0),
        ("1", str(STEPS_MAX), STEPS_MAX),
        ("1", str(-STEPS_MAX), -STEPS_MAX),
        ("1", "1." + "0" * 38, 1),
    ],
)
def test_a_decimal_is_a_whole_count_of_steps(step, text, count):
    """And back, without a float."""
    steps = Steps("price", step)

    assert steps.whole(text) == count
    assert steps.whole(steps.text(count)) == count


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1.255", "must be a multiple of 0.01"),
        (str(STEPS_MAX // 100 + 1), "must be a multiple"),
        ("1." + "0" * 39, "must have at most 40 digits"),
        ("x", "must be a multiple"),
        ("NaN", "must be a multiple"),
        ("Infinity", "must be a multiple"),
    ],
)
def test_what_is_no_count_of_steps_is_told(text, rule):
    """With its name and the step."""
    with pytest.raises(InvalidValueError, match=rule) as found:
        Steps("price", "0.01").whole(text)
    assert (found.value.field, found.value.value) == ("price", text)


async def test_a_wait_ends_at_its_time():
    """By the clock it was given."""
    clock = FakeClock(1_000)
    await wait_until_closed(asyncio.Event(), clock, 234)

    assert clock.time_ns == 1_234


async def test_a_wait_ends_with_its_owner_and_leaves_nothing_behind():
    """Both tasks have ended when it returns."""

    class Still(FakeClock):
        async def sleep_until(self, time_ns, /):
            await asyncio.Event().wait()

    closed = asyncio.Event()
    asyncio.get_running_loop().call_soon(closed.set)
    async with asyncio.timeout(5):
        await wait_until_closed(closed, Still(), 10**18)
    assert asyncio.all_tasks() == {asyncio.current_task()}


class Socket:
    """Takes what is sent, and ends a reader's loop when it was asked for so many messages."""

    def __init__(self, messages_max=1) -> None:
        self.sent, self.codes = [], []
        self.messages_max = messages_max

    @property
    def closed(self):
        """Whether it has had enough."""
        return len(self.sent) >= self.messages_max or bool(self.codes)

    async def send_str(self, text):
        """Take a message."""
        self.sent.append(text)

    async def close(self, *, code):
        """Take the end."""
        self.codes.append(code)


def outbox_of(socket, *, frames_max=10, on_idle=lambda: None):
    """Return what is to be sent over a socket."""
    return Outbox(socket, frames_max=frames_max, idle_seconds=0.001, on_idle=on_idle)


def fault(kind, **fields):
    """Return a rule of a fault."""
    return FaultRule(kind=kind, endpoint="stream_fill", counts=(1,), **fields)


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        (None, ["[1,2,3]"]),
        (FaultKind.FRAME_LOST, ["[1,3]"]),
        (FaultKind.FRAME_DOUBLED, ["[1,2,2,3]"]),
        (FaultKind.FRAME_SWAPPED, ["[1,3,2]"]),
        (FaultKind.FRAME_LATE, ["[1]", "[2,3]"]),
        (FaultKind.FRAME_GARBLED, ["[1]", "[", "[3]"]),
    ],
)
async def test_a_frame_goes_wrong_as_its_rule_says(kind, sent):
    """Those before and after it are sent as they are, together where they come together."""
    socket = Socket()
    box = outbox_of(socket)
    box.put(b"1")
    box.put(b"2", fault(kind, delay_ms=1) if kind else None)
    box.put(b"3")
    await box.run()

    assert socket.sent == sent


async def test_half_of_a_garbled_frame_is_sent():
    """What is cut off is no JSON."""
    socket = Socket()
    box = outbox_of(socket)
    box.put(b'{"a":1}', fault(FaultKind.FRAME_GARBLED))
    await box.run()

    assert socket.sent == ['[{"a']


@pytest.mark.parametrize(("kind", "codes"), [(FaultKind.DISCONNECT, [1011]), (FaultKind.SILENCE, [])])
async def test_a_line_breaks_or_falls_silent_after_what_was_sent_before(kind, codes):
    """What comes after it is not sent."""
    socket = Socket(messages_max=9)
    box = outbox_of(socket)
    box.put(b"1")
    box.put(b"2", fault(kind))
    box.put(b"3")
    await box.run()

    assert (socket.sent, socket.codes) == (["[1]"], codes)


@pytest.mark.parametrize(("count", "is_kept"), [(3, True), (4, False)])
async def test_a_reader_who_is_too_slow_is_cut_off(count, is_kept):
    """At its limit it still gets everything."""
    socket = Socket()
    box = outbox_of(socket, frames_max=3)
    for _ in range(count):
        box.put(b"1")
    await box.run()

    assert (socket.sent, socket.codes) == ((["[1,1,1]"], []) if is_kept else ([], [1011]))


async def test_a_message_has_a_longest_length(monkeypatch):
    """What is more comes in the next one."""
    monkeypatch.setattr(outbox, "_FRAMES_IN_MESSAGE_MAX", 2)
    socket = Socket()
    box = outbox_of(socket)
    for number in range(5):
        box.put(str(number).encode())
    await box.run()

    assert socket.sent == ["[0,1]", "[2,3]", "[4]"]


async def test_nothing_to_send_is_an_empty_message_unless_there_is_something_to_say():
    """So that a reader knows that the line stands."""
    socket = Socket()
    await outbox_of(socket).run()
    assert socket.sent == ["[]"]

    socket = Socket()
    box = outbox_of(socket, on_idle=lambda: box.put(b"7"))
    await box.run()
    assert socket.sent == ["[7]"]


def test_an_order_without_further_words_rests_until_it_is_cancelled():
    """It may take, and may open a position; without a price or an end of its own."""
    content = {"symbol": "A", "side": "buy", "kind": "limit", "quantity": "1"}
    body = msgspec.json.decode(msgspec.json.encode(content), type=wire.OrderBody)
    assert (body.client_order_id, body.price, body.time_in_force) == ("", None, "gtc")
    assert (body.expire_ns, body.post_only, body.reduce_only) == (None, False, False)


RULES = {
    "order_kinds": [],
    "times_in_force": [],
    "replaces": True,
    "post_only": True,
    "reduce_only": True,
    "duplicate_ids": "refused",
    "validity_window_ns": 1,
    "requests_per_second": 0,
    "markets": [],
}
MARKET = {"symbol": "A", "base": "A", "quote": "B", "is_margin": True} | dict.fromkeys(
    ("tick_size", "lot_size", "multiplier"), "1"
)


@pytest.mark.parametrize("step", ["1", "0.01", "1e-8", "5E3", "0.10"])
def test_a_step_above_zero_is_one_that_a_venue_may_state(step):
    """With or without an exponent."""
    market = MARKET | dict.fromkeys(("tick_size", "lot_size", "multiplier"), step)
    assert msgspec.convert(RULES | {"markets": [market]}, wire.Rules).markets[0].tick_size == step


@pytest.mark.parametrize(
    "odd",
    [
        {"duplicate_ids": "perhaps"},
        {"validity_window_ns": 0},
        {"validity_window_ns": 10**30},
        {"requests_per_second": -1},
        {"requests_burst": 10**400},
        {"weights": {"submit": -5}},
        {"fills_kept_ns": -1},
        *(
            {"markets": [MARKET | {name: text}]}
            for name in ("tick_size", "lot_size", "multiplier")
            for text in ("", "x", "0", "0.00", "0e5", "-1", "NaN", "sNaN", "Infinity", "1e999", "9" * 400)
        ),
    ],
    ids=str,
)
def test_rules_that_no_venue_can_mean_are_not_understood(odd):
    """So that a start says it (69), and nothing divides by such a step later."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(RULES | odd, wire.Rules)
