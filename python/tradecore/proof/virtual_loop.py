"""An event loop whose time passes only by waiting, and where waiting takes no time."""

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Mapping
from itertools import count
from operator import attrgetter
from random import Random
from typing import Any, TypeAlias

from tradecore.domain.errors import TradecoreError

_SECOND_NS = 1_000_000_000
# A busy loop comes to what is due a little late, and then to several things at once.
_LATE_NS = 400_000
_LATE_SHARE = 0.2
# What a handle of the standard library's loop is for.
_Work: TypeAlias = Coroutine[Any, Any, Any] | Generator[Any, None, Any]
_work_of = attrgetter("_callback", "_args")


class StandstillError(TradecoreError):
    """Everybody waits, and nothing is due: what is simulated would wait for ever."""


class _Nothing(selectors.BaseSelector):
    """Knows of no readiness; where the loop would wait, it moves the loop's time instead."""

    def __init__(self) -> None:
        self._keys: dict[Any, selectors.SelectorKey] = {}
        self.now_ns = 0
        # Told at the beginning of each turn; what it returns is how much later than asked for a wait ends.
        self.on_turn: Callable[[], int] | None = None

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: ANN401
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        self._keys[fileobj] = key = selectors.SelectorKey(fileobj, number, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:  # noqa: ANN401 - as the base class has it
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise StandstillError("nothing is due any more, and somebody still waits")
        late_ns = 0 if self.on_turn is None else self.on_turn()
        if timeout > 0:
            # At least a nanosecond: a wait that is shorter must end, too.
            self.now_ns += max(round(timeout * _SECOND_NS), 1) + late_ns
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


class _NumberedTask(asyncio.Task[Any]):
    """A task that lies in a set by its number, so that sets of them are walked in the same order again."""

    def __init__(self, work: _Work, *, number: int, **options: Any) -> None:  # noqa: ANN401 - as the base class has it
        self._number = number
        super().__init__(work, **options)

    def __hash__(self) -> int:
        return self._number


class VirtualLoop(asyncio.SelectorEventLoop):
    """The event loop of the standard library with no sockets and no clock: it begins at time 0.

    Parameters
    ----------
    order : Random, optional
        Draws the order in which tasks that are ready together get their turn, and how late a wait ends.
        What one task, future or queue has to do keeps its order. Without it all is as early as it can be,
        and first come is first served.

    Attributes
    ----------
    mixed : int
        Turns in which an order was drawn.
    """

    _ready: deque[asyncio.Handle]

    def __init__(self, order: Random | None = None) -> None:
        self._nothing = _Nothing()
        super().__init__(self._nothing)
        # What the base class takes from the machine: two waits are alike on each of them.
        self._clock_resolution = 1e-9
        self._numbers = count(1)
        self.set_task_factory(self._new_task)
        self.mixed = 0
        if order is not None:
            self._order = order
            self._nothing.on_turn = self._mix

    @property
    def now_ns(self) -> int:
        """Return its time, nanoseconds since its beginning."""
        return self._nothing.now_ns

    def time(self) -> float:
        """Return its time in seconds."""
        return self._nothing.now_ns / _SECOND_NS

    def _new_task(
        self,
        loop: asyncio.AbstractEventLoop,
        work: _Work,
        **options: Any,  # noqa: ANN401 - see above
    ) -> _NumberedTask:
        return _NumberedTask(work, number=next(self._numbers), loop=loop, **options)

    def _mix(self) -> int:
        """Draw an order for what is ready, and return how late the loop wakes where it waits."""
        ready = self._ready
        if not ready:
            return _LATE_NS if self._order.random() < _LATE_SHARE else 0
        if len(ready) > 1:
            # By whose they are; the names are for looking up alone, so nothing depends on where they lie.
            waiting: dict[int, deque[asyncio.Handle]] = {}
            turns = []
            for handle in ready:
                turns.append(owner := id(_owner(handle)))
                waiting.setdefault(owner, deque()).append(handle)
            if len(waiting) > 1:
                self.mixed += 1
                self._order.shuffle(turns)
                ready.clear()
                ready.extend(waiting[owner].popleft() for owner in turns)
        return 0


def _owner(handle: asyncio.Handle) -> object:
    """Return whose work it is: a task's, a queue's, or that of the future which is done."""
    call, given = _work_of(handle)
    owner = getattr(call, "__self__", None)
    return (given[0] if given else call) if owner is None else owner


class VirtualClock:
    """A `Clock` that shows the time of a virtual loop.

    Parameters
    ----------
    loop : VirtualLoop
        Whose time it shows.
    start_ns : int
        What it shows at the loop's beginning, UTC nanoseconds.
    """

    def __init__(self, loop: VirtualLoop, start_ns: int) -> None:
        self._loop = loop
        self._start_ns = start_ns

    def now_ns(self) -> int:
        """Return UTC nanoseconds."""
        return self._start_ns + self._loop.now_ns

    async def sleep_until(self, time_ns: int, /) -> None:
        """Return once it shows a time."""
        while (left_ns := time_ns - self.now_ns()) > 0:  # noqa: ASYNC110 - it is time alone
            await asyncio.sleep(left_ns / _SECOND_NS)
