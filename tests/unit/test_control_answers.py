"""What the control socket says itself, where the engine has not answered: nothing of it is a yes."""

import asyncio
import tracemalloc

import pytest

from tradecore.domain.errors import VenueError
from tradecore.ports.control_channel import ControlReply, Status
from tradecore_api.control import server
from tradecore_api.control.frames import (
    FRAME_BYTES_MAX,
    Envelope,
    FrameError,
    encode,
    read_accepted,
    read_reply,
)
from tradecore_api.control.server import ControlServer


@pytest.fixture
def answered(tmp_path):
    """Return what asks a server whose engine answers so."""

    async def of(answer, *, token="", has_token=False):
        made = ControlServer(tmp_path / "control.json")
        made._answer, made._token = answer, "right"
        return await made._answered(Envelope(request=Status(), token=token), has_token=has_token)

    return of


async def yes(request):
    """Accept."""
    return ControlReply(accepted=True, message="yes")


async def test_an_engine_that_takes_too_long_has_accepted_nothing(answered, monkeypatch):
    """Whoever asked looks at the state, and does not take it for done."""
    monkeypatch.setattr(server, "ANSWER_SECONDS_MAX", 0.01)

    async def late(request):
        await asyncio.sleep(5)
        return await yes(request)

    reply = await answered(late)
    assert (reply.accepted, reply.message) == (False, "no answer within 0.01 s")


async def test_what_cannot_be_done_is_refused_with_its_reason(answered):
    """And so is all before there is an engine."""

    async def refuse(request):
        raise VenueError("the engine is ending")

    reply = await answered(refuse)
    assert (reply.accepted, reply.message) == (False, "the engine is ending")
    reply = await answered(None)
    assert (reply.accepted, reply.message) == (False, "not open")


@pytest.mark.parametrize(
    ("token", "has_token", "accepted"),
    [
        ("", False, True),
        ("wrong", False, True),
        ("", True, False),
        ("wrong", True, False),
        ("right", True, True),
    ],
)
async def test_through_loopback_nobody_is_heard_without_the_token(answered, token, has_token, accepted):
    """Who comes through a socket of the system is known by his user."""
    reply = await answered(yes, token=token, has_token=has_token)
    assert reply.accepted is accepted
    assert (reply.message == "wrong token") is not accepted


@pytest.mark.parametrize("more", [0, 1])
def test_a_frame_is_as_large_as_it_may_be_and_no_larger(more):
    """To the byte, without its length."""
    empty = len(encode(ControlReply(accepted=False, message="x" * 40_000))) - 4 - 40_000
    reply = ControlReply(accepted=False, message="x" * (FRAME_BYTES_MAX - empty + more))
    if more:
        with pytest.raises(FrameError, match=f"frame of {FRAME_BYTES_MAX + 1} bytes"):
            encode(reply)
    else:
        frame = encode(reply)
        assert frame[:4] == FRAME_BYTES_MAX.to_bytes(4, "big")
        assert len(frame) == FRAME_BYTES_MAX + 4


def read(reply, way):
    """Return what comes of an answer, and how much memory that took at its peak."""

    async def whole():
        reader = asyncio.StreamReader()
        reader.feed_data(encode(reply) if isinstance(reply, ControlReply) else reply)
        reader.feed_eof()
        tracemalloc.start()
        try:
            found = await way(reader)
            return found, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return asyncio.run(whole())


@pytest.mark.parametrize("accepted", [True, False])
def test_who_asks_only_for_a_sign_of_life_does_not_take_in_all_that_an_engine_says(accepted):
    """A watchdog asks for weeks: hundreds of rows of an engine that is busy are not its affair."""
    rows = [{f"field {name}": f"value {row}" for name in range(12)} for row in range(220)]
    reply = ControlReply(accepted=accepted, status={"order_rows": rows})
    bytes_sent = len(encode(reply))
    assert bytes_sent > 40_000

    found, peak = read(reply, read_accepted)
    assert found is accepted
    assert peak < 2 * bytes_sent
    found, whole_peak = read(reply, read_reply)
    assert found == reply
    assert whole_peak > 2 * peak


@pytest.mark.parametrize("data", [b"", b"\x00\x00\x00\x01\x90", b"\x00\x00\x00\x02\x81", b"\x00\x00"])
def test_what_is_no_answer_is_no_sign_of_life(data):
    """Whichever way it is read."""
    for way in (read_accepted, read_reply):
        with pytest.raises(FrameError):
            read(data, way)
