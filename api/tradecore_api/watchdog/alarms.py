"""Tells people what a watchdog has found: in its log, and by a program that the operator names."""

import asyncio
import logging
import os
import signal
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from tradecore.domain.times import iso_time

log = logging.getLogger("tradecore.watchdog")

# What waits behind a program that does not come to its end; the oldest is left out.
WAITING_MAX = 16
_KILL_SECONDS_MAX = 1.0


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm, as the operator's program gets it.

    Attributes
    ----------
    kind : str
        `engine_gone`, `engine_back`, `orders_open`, `orders_ended`, `venue_trouble` or `watchdog_trouble`.
    account : str
        The engine's account.
    words : str
        What happened, for people.
    time : str
        When, ISO 8601, UTC.
    """

    kind: str
    account: str
    words: str
    time: str = ""


class Alarms:
    """Logs each alarm at once, and hands it to the program; nobody waits for that.

    Alarms are handed on one after the other. A program that takes longer than it may is ended with all that
    it has started, and what comes meanwhile waits; of more than `WAITING_MAX` the oldest are left out.

    Parameters
    ----------
    account : str
        The engine's account.
    command : sequence of str
        Program and arguments; empty for none.
    seconds_max : float
        How long it may take for one alarm.
    """

    def __init__(self, account: str, command: Sequence[str], seconds_max: float) -> None:
        self._account, self._command, self._seconds_max = account, tuple(command), seconds_max
        self._waiting: deque[Alarm] = deque(maxlen=WAITING_MAX)
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._is_over = False

    def tell(self, kind: str, words: str, *, is_good: bool = False) -> None:
        """Say what happened."""
        log.log(logging.WARNING if is_good else logging.ERROR, kind, extra={"words": words})
        if not self._command:
            return
        self._waiting.append(
            Alarm(kind=kind, account=self._account, words=words, time=iso_time(time.time_ns()))
        )
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._hand_on(), name="alarms")

    async def aclose(self, seconds_max: float) -> None:
        """Hand on what waits, for so long at most."""
        if self._task is None:
            return
        done, _ = await asyncio.wait({self._task}, timeout=seconds_max)
        if not done:
            # Ended by its process, and not cancelled: one that is just being started would be left behind.
            self._waiting.clear()
            self._is_over = True
            if self._process is not None:
                _kill(self._process.pid)
            await asyncio.wait({self._task}, timeout=_KILL_SECONDS_MAX)

    async def _hand_on(self) -> None:
        while self._waiting:
            alarm = self._waiting.popleft()
            try:
                await self._run(alarm)
            except (OSError, ValueError) as error:
                self._say_failed(f"cannot be run: {error}")
            finally:
                self._process = None

    async def _run(self, alarm: Alarm) -> None:
        self._process = process = await asyncio.create_subprocess_exec(
            *self._command,
            alarm.words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        talk = asyncio.create_task(process.communicate(msgspec.json.encode(alarm) + b"\n"))
        done, _ = await asyncio.wait({talk}, timeout=0.0 if self._is_over else self._seconds_max)
        if not done:
            _kill(process.pid)
            self._say_failed(f"did not end within {self._seconds_max:g} s and was killed")
        await talk
        if done and process.returncode:
            self._say_failed(f"ended with {process.returncode}")

    def _say_failed(self, what: str) -> None:
        log.error("alarm_not_handed_on", extra={"words": f"the program of watchdog.command {what}"})


def _kill(pid: int) -> None:
    """End a program and what it has started: it leads a session of its own."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)
