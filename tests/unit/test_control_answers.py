"""What the control socket says itself, where the engine has not answered: nothing of it is a yes."""

import asyncio

import pytest

from tradecore.domain.errors import VenueError
from tradecore.ports.control_channel import ControlReply, Status
from tradecore_api.control import server
from tradecore_api.control.frames import FRAME_BYTES_MAX, Envelope, FrameError, encode
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
