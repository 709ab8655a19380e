"""Calls that may hang: bounded in time, their errors passed on, and no reason for a process to live on."""

import asyncio
import subprocess
import sys
import threading

import pytest

from tradecore.domain import StorageError
from tradecore_api import bounded
from tradecore_api.bounded import Call


def failing():
    """Fail as a disk does."""
    raise OSError(5, "input/output error")


async def test_what_a_call_returns_or_raises_comes_to_who_asks():
    """Waiting or not; the error is the one that was raised."""
    assert Call(lambda: 7, "it").result(5.0) == 7
    assert await Call(lambda: 7, "it").result_async(5.0) == 7
    with pytest.raises(OSError, match="input/output"):
        Call(failing, "it").result(5.0)
    with pytest.raises(OSError, match="input/output"):
        await Call(failing, "it").result_async(5.0)


async def test_a_call_that_does_not_come_back_names_what_it_is_about():
    """The time is up, and the call may still come back later."""
    goes_on = threading.Event()
    call = Call(goes_on.wait, "/the/path")
    with pytest.raises(StorageError, match=r"did not answer within 0\.05 s"):
        call.result(0.05)
    with pytest.raises(StorageError, match=r"/the/path.*did not answer within 0\.06 s"):
        await call.result_async(0.06)
    assert not call.is_done
    goes_on.set()
    assert call.result(5.0) is True
    assert call.is_done


async def test_the_loop_goes_on_while_a_call_is_waited_for(monkeypatch):
    """It looks often at first and every fiftieth of a second later, and takes the result when it is there."""
    pauses = []
    goes_on = threading.Event()
    sleep = asyncio.sleep

    async def paused(seconds):
        pauses.append(seconds)
        if len(pauses) == 9:
            goes_on.set()
        await sleep(0.01)

    monkeypatch.setattr(bounded.asyncio, "sleep", paused)
    assert await Call(goes_on.wait, "it").result_async(30.0) is True
    assert pauses[:9] == [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.02, 0.02, 0.02]


def test_a_call_that_hangs_does_not_keep_the_process():
    """A program that has given up waiting ends at once."""
    code = (
        "import time\nfrom tradecore_api.bounded import Call\ncall = Call(lambda: time.sleep(60), 'it')\n"
        "try:\n    call.result(0.05)\nexcept Exception as error:\n    print(type(error).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)

    assert (done.returncode, done.stdout) == (0, "StorageError\n")
