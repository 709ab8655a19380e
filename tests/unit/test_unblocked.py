"""Output that nobody has to wait for: what is taken comes out whole and in order, what is not is counted."""

import contextlib
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradecore.domain.errors import StorageError
from tradecore_api.bounded import Call
from tradecore_api.forced_end import ForcedEnd
from tradecore_api.unblocked import UnblockedStream


def read_all(descriptor):
    """Return what comes out of a pipe."""
    with os.fdopen(descriptor, "rb") as pipe:
        return pipe.read()


def full_pipe():
    """Return the ends of a pipe that takes nothing more until it is read: all in it is the letter x."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4_096)
    os.set_blocking(writer, True)
    return reader, writer


@given(st.lists(st.binary(max_size=200), max_size=30))
def test_everything_comes_out_in_order_where_somebody_reads(pieces):
    """Whatever pieces it was written in, as plain concatenation has it."""
    reader, writer = os.pipe()
    stream = UnblockedStream(writer)
    found = []
    reading = threading.Thread(target=lambda: found.append(read_all(reader)))
    reading.start()
    for piece in pieces:
        assert stream.write(piece) == len(piece)
    assert stream.drained(10.0)
    os.close(writer)
    reading.join()
    assert found == [b"".join(pieces)]
    assert stream.dropped == 0


def test_what_does_not_fit_is_left_out_by_whole_lines_and_counted():
    """Written lines plus counted ones are all; each line that comes out is one that went in."""
    reader, writer = full_pipe()
    stream = UnblockedStream(writer, bytes_max=10_000)
    lines = [f"{number:06d} {'x' * 90}".encode() for number in range(3_000)]
    for line in lines:
        # A `print` writes the line and its end one after the other.
        stream.write(line)
        stream.write(b"\n")
    assert stream.dropped > 0
    assert not stream.flows
    found = []
    reading = threading.Thread(target=lambda: found.append(read_all(reader)))
    reading.start()
    assert stream.drained(10.0)
    assert stream.flows
    os.close(writer)
    reading.join()
    taken = found[0].lstrip(b"x").splitlines()
    known = set(lines)
    assert all(line in known for line in taken)
    assert taken == sorted(taken)
    assert len(taken) + stream.dropped == len(lines)


def test_lines_that_fill_the_room_to_the_last_byte_are_taken_and_the_next_one_is_not():
    """Nobody reads, so that all of them wait."""
    reader, writer = full_pipe()
    stream = UnblockedStream(writer, bytes_max=1_000)
    line = b"y" * 99 + b"\n"
    for _ in range(10):
        stream.write(line)
    assert stream.dropped == 0
    stream.write(line)
    assert stream.dropped == 1

    found = []
    reading = threading.Thread(target=lambda: found.append(read_all(reader)))
    reading.start()
    assert stream.drained(10.0)
    os.close(writer)
    reading.join()
    assert found[0].lstrip(b"x") == line * 10


def test_a_reader_that_is_gone_is_an_error_to_be_asked_for_and_none_to_be_raised():
    """Whoever writes goes on; the lines are counted."""
    reader, writer = os.pipe()
    os.close(reader)
    stream = UnblockedStream(writer)
    stream.write(b"a\nb\n")
    assert stream.drained(10.0)
    os.close(writer)
    assert isinstance(stream.error, BrokenPipeError)
    assert stream.dropped == 2


def test_a_call_that_hangs_is_an_error_after_its_time_and_others_are_passed_on():
    """Results and exceptions come through as they are."""
    hangs = threading.Event()
    call = Call(hangs.wait, "the disk")
    with pytest.raises(StorageError, match=r"the disk: did not answer within 0\.01 s"):
        call.result(0.01)
    assert not call.is_done
    hangs.set()
    assert call.result(10.0) is True
    with pytest.raises(ZeroDivisionError):
        Call(lambda: 1 // 0, "sum").result(10.0)


async def test_a_call_may_be_waited_for_without_holding_the_loop():
    """As `result`, with the same errors."""
    assert await Call(lambda: 7, "seven").result_async(10.0) == 7
    hangs = threading.Event()
    with pytest.raises(StorageError):
        await Call(hangs.wait, "the disk").result_async(0.01)
    hangs.set()


def test_a_process_that_ends_by_itself_is_not_ended_by_force(monkeypatch):
    """Nothing is said and nothing is ended once it is over; the first deadline holds."""
    ended, said = [], []
    monkeypatch.setattr(os, "_exit", ended.append)
    end = ForcedEnd(said.append, lambda: 69)
    end.arm(0.2)
    first = end.at
    end.arm(5.0)
    assert end.at == first
    end.disarm()
    threading.Event().wait(0.4)
    assert (said, ended) == ([], [])


def test_the_end_by_force_does_not_wait_for_its_words(monkeypatch):
    """Whoever says them may hang for ever."""
    ended = threading.Event()
    codes = []
    monkeypatch.setattr(os, "_exit", lambda code: (codes.append(code), ended.set()))
    hangs = threading.Event()
    ForcedEnd(lambda _: hangs.wait(), lambda: 69).arm(0.2)
    assert ended.wait(5.0)
    hangs.set()
    assert codes == [69]
