"""Calls that may hang, as a disk does: whoever makes them waits only so long."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Generic, TypeVar

from tradecore.domain.errors import StorageError, TradecoreError

Result = TypeVar("Result")


class Call(Generic[Result]):
    """A call that runs in a thread of its own, which holds neither its caller nor the end of the process.

    Parameters
    ----------
    call : callable
        What is done; its exception comes to whoever asks for the result.
    what : str
        Path or thing that it is about, for the error of a call that does not come back.
    is_vital : bool
        Where the system gives no thread, make the call here and wait for it: it must be made.
    """

    def __init__(self, call: Callable[[], Result], what: str, *, is_vital: bool = False) -> None:
        self._call = call
        self._what = what
        self._done = threading.Event()
        self._results: list[Result] = []
        self._error: BaseException | None = None
        try:
            threading.Thread(target=self._run, name="bounded", daemon=True).start()
        except RuntimeError as error:
            if is_vital:
                self._run()
                return
            self._error = StorageError(what, f"no thread could be started for it: {error}")
            self._done.set()

    @property
    def is_done(self) -> bool:
        """Whether it has come back."""
        return self._done.is_set()

    def result(self, seconds_max: float) -> Result:
        """Return what came of it, after at most so long.

        Raises `StorageError` when it has not come back, else what the call raised.
        """
        self._done.wait(seconds_max)
        return self._outcome(seconds_max)

    async def result_async(self, seconds_max: float) -> Result:
        """Do as `result` does, without holding the event loop."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds_max
        pause = 0.0005
        while not self._done.is_set() and loop.time() < deadline:
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.02)
        return self._outcome(seconds_max)

    def _outcome(self, waited_seconds: float) -> Result:
        if not self._done.is_set():
            raise StorageError(self._what, f"did not answer within {waited_seconds:g} s: its disk may hang")
        if self._error is not None:
            raise self._error
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._call())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the result is asked for
            self._error = error
        finally:
            self._done.set()


async def unheard(command: Coroutine[object, object, object]) -> None:
    """Do what nobody waits for: whoever carries it out has told what went wrong."""
    with suppress(TradecoreError):
        await command
