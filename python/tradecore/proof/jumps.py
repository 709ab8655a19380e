"""A wall clock that is set while an engine runs or between two of them, and what the engine makes of it."""

import asyncio
from collections.abc import Callable, Sequence

from tradecore.domain.commands import Resume
from tradecore.domain.errors import TradecoreError
from tradecore.proof.host import Host
from tradecore.proof.jump import Jump
from tradecore.proof.virtual_loop import VirtualClock
from tradecore.runtime.session import Phase

PROMISE = "P36"
_SECOND_NS = 1_000_000_000
# Which jump pauses a live engine, and how soon.
_PAUSES_NS = 2 * _SECOND_NS
_PAUSED_WITHIN_SECONDS = 1.0
_LOOK_SECONDS = 0.05
_RESUMED_AFTER_SECONDS = 0.5


class Wall:
    """The clock that people set, beside a clock that is right.

    Parameters
    ----------
    right : VirtualClock
        The clock that is right.
    """

    def __init__(self, right: VirtualClock) -> None:
        self._right = right
        self.shift_ns = 0

    def now_ns(self) -> int:
        """Return what it shows, UTC nanoseconds; never less than 1970."""
        return max(self._right.now_ns() + self.shift_ns, _SECOND_NS)


class Jumps:
    """Sets the wall clock, and looks at what the engine does then.

    Parameters
    ----------
    jumps : sequence of Jump
        What is to happen.
    wall : Wall
        The clock that is set.
    find : callable
        Told what is wrong.
    mark : callable
        Told what has been done, for the story.

    Attributes
    ----------
    tried : int
        How many jumps there were: while an engine ran, and between two of them.
    """

    def __init__(
        self, jumps: Sequence[Jump], wall: Wall, find: Callable[[str], None], mark: Callable[[str], None]
    ) -> None:
        self._left = list(jumps)
        self._wall = wall
        self._find = find
        self._mark = mark
        self.tried = 0
        self._is_over = False

    def cease(self) -> None:
        """Set the clock no more, and let a pause be: the run ends."""
        self._left.clear()
        self._is_over = True

    def before_start(self, *, is_last: bool) -> None:
        """Let a clock that is off be set right before the engine that lives to the end."""
        if is_last and self._wall.shift_ns:
            self._set(0)

    async def watch(self, host: Host, now_seconds: Callable[[], float]) -> None:
        """Set the clock when it is time, as long as this engine runs."""
        session, last_ns = host.session, host.engine.now_ns
        begun_ns, begun = self._wall.now_ns(), now_seconds()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if session.phase is not Phase.RUNNING:
                continue
            # A clock that is set moves nothing: the time of the engine is that of its start, and goes on.
            due_ns = max(last_ns, begun_ns + int((now_seconds() - begun) * _SECOND_NS))
            if host.engine.now_ns > due_ns + _SECOND_NS:
                ahead_ns = host.engine.now_ns - due_ns
                self._find(f"the time of the engine is {ahead_ns / 1e9:g} s ahead of its clock")
                return
            if self._left and host.journal.records >= self._left[0].records:
                await self._jump(host, self._left.pop(0).shift_ns)

    async def _jump(self, host: Host, shift_ns: int) -> None:
        size_ns = shift_ns - self._wall.shift_ns
        was_paused = host.engine.kernel.is_paused
        self._set(shift_ns)
        waited = 0.0
        while waited < _PAUSED_WITHIN_SECONDS and not host.engine.kernel.is_paused:
            await asyncio.sleep(_LOOK_SECONDS)
            waited += _LOOK_SECONDS
        is_to_pause = abs(size_ns) > _PAUSES_NS + _SECOND_NS // 100
        if is_to_pause and not was_paused and not host.engine.kernel.is_paused:
            self._find(f"a jump of the clock by {size_ns / 1e9:g} s did not pause the engine")
        await asyncio.sleep(_RESUMED_AFTER_SECONDS)
        if not self._is_over:
            await resume(host)

    def _set(self, shift_ns: int) -> None:
        self._mark(f"CLOCK set from {self._wall.shift_ns / 1e9:+g} s to {shift_ns / 1e9:+g} s")
        self._wall.shift_ns = shift_ns
        self.tried += 1


async def resume(host: Host) -> None:
    """End a pause, as a person does who has looked at the clock."""
    try:
        await host.session.command(Resume())
    except TradecoreError:
        # It is ending.
        return
