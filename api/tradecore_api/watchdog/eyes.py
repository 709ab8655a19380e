"""Looks at an engine from outside: its files, its locks and its control socket, none of which may hold it."""

import asyncio

from tradecore.domain.errors import TradecoreError
from tradecore.ports.control_channel import Status
from tradecore_api import heartbeat, instance_lock
from tradecore_api.bounded import Call
from tradecore_api.control import client
from tradecore_api.heartbeat import Heartbeat
from tradecore_api.state_dir import StateDir
from tradecore_api.watchdog.pulse import Sight

# How long a disk may take for a look.
LOOK_SECONDS_MAX = 0.3
# And an engine for an answer; the next question comes after that.
ASK_SECONDS_MAX = 0.8


class Eyes:
    """Sees whether an engine gives signs of life.

    A disk that hangs is not waited for: what was seen last holds, and the engine is asked by the name of its
    account, which needs no disk.

    Parameters
    ----------
    state : StateDir
        Of the engine's account.
    """

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._looking: Call[Sight] | None = None
        self._seen: Sight | None = None
        self._asking: asyncio.Task[bool] | None = None

    async def look(self, last: Heartbeat | None, *, asks: bool) -> Sight:
        """Return what is seen now.

        Parameters
        ----------
        last : Heartbeat or None
            The last heartbeat that was seen: its process may live when the file is gone.
        asks : bool
            Whether to ask the engine too, where its files say nothing new; nobody waits for the answer here.
        """
        if self._looking is None or self._looking.is_done:
            self._looking = Call(lambda: self._sight(last), str(self._state.path))
        try:
            seen = await self._looking.result_async(LOOK_SECONDS_MAX)
        except (TradecoreError, OSError):
            # Nothing new is known: a process that was there is taken for one that is there.
            seen = self._seen or Sight(beat=None, is_held=False, is_writer_alive=False)
        self._seen = seen
        return Sight(
            beat=seen.beat,
            is_held=seen.is_held,
            is_writer_alive=seen.is_writer_alive,
            has_answered=self._has_answered(asks=asks and seen.is_held),
        )

    async def aclose(self) -> None:
        """Wait for no answer any more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _sight(self, last: Heartbeat | None) -> Sight:
        # The locks first: an engine that ends writes so before it lets go of them.
        beat = heartbeat.read(self._state.heartbeat)
        is_alive = heartbeat.lives(beat or last)
        is_held = is_alive or instance_lock.is_held(self._state.lock)
        if not is_held:
            beat = heartbeat.read(self._state.heartbeat)
        return Sight(beat=beat, is_held=is_held, is_writer_alive=is_alive)

    def _has_answered(self, *, asks: bool) -> bool:
        """Tell whether an answer has come since the look before, and ask anew."""
        answered = False
        if self._asking is not None and self._asking.done():
            answered, self._asking = self._asking.result(), None
        if asks and self._asking is None:
            self._asking = asyncio.create_task(self._asked(), name="question to the engine")
        return answered

    async def _asked(self) -> bool:
        try:
            return await client.accepts(
                self._state, Status(), seconds_max=ASK_SECONDS_MAX, by_name_first=True
            )
        except client.NotAnsweringError:
            return False
