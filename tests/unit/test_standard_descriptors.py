"""The descriptors 0 to 2 of a process whose caller closed some of them, and the streams upon them."""

import contextlib
import io
import os
import sys

import pytest

from tradecore_api import stdout, unblocked
from tradecore_api.stdout import STDOUT


class System:
    """Plays the system: which descriptors are open, and what became of each."""

    def __init__(self, *, open_ones, inheritable=()) -> None:
        self.open_ones = set(open_ones)
        self.inheritable = set(inheritable)

    def fstat(self, number):
        """Tell whether a descriptor is open."""
        if number not in self.open_ones:
            raise OSError(9, "Bad file descriptor")

    def open(self, path, flags):
        """Give the least number that is free."""
        assert (path, flags) == (os.devnull, os.O_RDWR)
        number = min(set(range(9)) - self.open_ones)
        self.open_ones.add(number)
        return number

    def dup2(self, number, other):
        """Let a second number stand for the same."""
        assert number in self.open_ones
        self.open_ones.add(other)

    def close(self, number):
        """Free a number."""
        self.open_ones.remove(number)

    def set_inheritable(self, number, is_inheritable):
        """Note whether programs that are started get it."""
        assert is_inheritable
        self.inheritable.add(number)


@pytest.mark.parametrize("closed", [(), (0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)])
def test_each_that_was_closed_is_the_null_device_and_no_other(monkeypatch, closed):
    """A lock or a journal that is opened next gets a number behind them."""
    system = System(open_ones={0, 1, 2, 3} - set(closed))
    for name in ("fstat", "open", "dup2", "close", "set_inheritable"):
        monkeypatch.setattr(os, name, getattr(system, name))
    unblocked.open_standard_descriptors()
    monkeypatch.undo()

    assert system.open_ones == {0, 1, 2, 3}
    assert system.inheritable == set(closed)


def test_a_number_that_the_system_gives_otherwise_becomes_the_right_one(monkeypatch):
    """Another thread may have taken the number just freed, or left one free."""
    system = System(open_ones={1, 2, 3})
    monkeypatch.setattr(system, "open", lambda path, flags: system.open_ones.add(7) or 7)
    for name in ("fstat", "open", "dup2", "close", "set_inheritable"):
        monkeypatch.setattr(os, name, getattr(system, name))
    unblocked.open_standard_descriptors()
    monkeypatch.undo()

    assert system.open_ones == {0, 1, 2, 3}
    assert system.inheritable == {0}


@pytest.mark.parametrize(("name", "mode"), [("stdin", "r"), ("stdout", "w"), ("stderr", "w")])
def test_a_stream_that_python_left_out_is_there_again(monkeypatch, name, mode):
    """It stands on its descriptor, and does not close it."""
    monkeypatch.setattr(sys, name, None)
    unblocked.open_standard_descriptors()
    stream = getattr(sys, name)

    assert (stream.fileno(), stream.mode, stream.encoding) == (
        {"stdin": 0, "stdout": 1, "stderr": 2}[name],
        mode,
        "utf-8",
    )
    stream.close()
    os.fstat({"stdin": 0, "stdout": 1, "stderr": 2}[name])


@pytest.fixture
def pipe():
    """Both ends of a pipe: to read from, without waiting, and to write to."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    yield reader, writer
    for number in (reader, writer):
        with contextlib.suppress(OSError):
            os.close(number)


def write_into(writer, monkeypatch):
    """Let standard output go into a pipe, as Python itself opens it."""
    stream = io.TextIOWrapper(io.FileIO(writer, "w", closefd=False), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "__stdout__", stream)
    stream.write("a ")
    stdout.name_stdout()
    return sys.stdout


def test_what_an_encoding_cannot_hold_is_written_as_escapes(pipe, monkeypatch):
    """What was written before comes first."""
    reader, writer = pipe
    stream = write_into(writer, monkeypatch)
    stream.write("ä\n")
    stream.flush()

    assert stream.encoding == "ascii"
    assert os.read(reader, 99) == b"a \\xe4\n"


def test_an_error_of_standard_output_names_it(pipe, monkeypatch):
    """A reader that has gone is told from every other pipe."""
    reader, writer = pipe
    stream = write_into(writer, monkeypatch)
    os.close(reader)
    with pytest.raises(BrokenPipeError) as found:
        stream.buffer.raw.write(memoryview(b"a"))
    assert found.value.filename == STDOUT


def test_a_pipe_that_is_full_and_does_not_wait_is_an_error_too(pipe):
    """It is no success of nothing."""
    _, writer = pipe
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writer, b"x" * 65_536):
            pass
    raw = stdout._Named(writer, "w", closefd=False)
    with pytest.raises(BlockingIOError, match="nobody reads it") as found:
        raw.write(memoryview(b"x"))
    assert found.value.filename == STDOUT


def test_a_stream_that_somebody_put_there_stays(monkeypatch):
    """As tests do, and programs that call the command."""
    before = io.StringIO()
    monkeypatch.setattr(sys, "stdout", before)
    stdout.name_stdout()
    assert sys.stdout is before
    monkeypatch.setattr(sys, "__stdout__", before)
    stdout.name_stdout()
    assert sys.stdout is before
