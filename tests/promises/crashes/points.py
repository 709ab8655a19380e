"""The points at which an engine can be killed: each line of the code on an order's way, each time it runs."""

import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from types import CodeType, FrameType

import tradecore
import tradecore_local
from tradecore.proof import mortal_journal

_CORE, _LOCAL = Path(tradecore.__file__).parent, Path(tradecore_local.__file__).parent
# What an order goes through on its way out and a report on its way in, and what a restart goes through.
ORDER_PATH = (
    f"{_CORE}/runtime/",
    f"{_CORE}/engine/",
    f"{_CORE}/domain/journal",
    mortal_journal.__file__,
    *(str(path) for path in _LOCAL.glob("*.py")),
)
# It ends children of a process, and each engine that is killed here is in one.
_LEFT_OUT = f"{_CORE}/runtime/forked_child.py"
# Lines, and the moment after the last line of a call.
_KINDS = frozenset({"line", "return"})

Place = tuple[CodeType, int, str]


class Points:
    """Counts the points that an engine comes to, and calls back at chosen ones.

    Attributes
    ----------
    passed : int
        How many it has come to.
    places : dict of Place to list of int
        The numbers of the points at each place of the code; only where they are kept.
    """

    def __init__(self, *, keeps_places: bool = False) -> None:
        self.passed = 0
        self.places: dict[Place, list[int]] = defaultdict(list)
        self.keeps_places = keeps_places
        self._is_meant: dict[CodeType, bool] = {}
        self._due: list[int] = []
        self._meet: Callable[[FrameType, str], None] | None = None
        # Who else looks at lines: what measures which of them are reached.
        self._before = sys.gettrace()

    def watch(self, due: Sequence[int], meet: Callable[[FrameType, str], None] | None) -> None:
        """Begin to count, and call back at these points, which are counted from now."""
        self.passed = 0
        self._due = sorted(set(due), reverse=True)
        self._meet = meet
        sys.settrace(self._called)

    def leave(self) -> None:
        """Count no more."""
        sys.settrace(self._before)
        self._due = []
        self._meet = None
        self.keeps_places = False

    def _called(self, frame: FrameType, event: str, argument: object) -> object:
        code = frame.f_code
        is_meant = self._is_meant.get(code)
        if is_meant is None:
            name = code.co_filename
            is_meant = self._is_meant[code] = name.startswith(ORDER_PATH) and name != _LEFT_OUT
        return self._stepped if is_meant else None

    def _stepped(self, frame: FrameType, event: str, argument: object) -> object:
        if event not in _KINDS:
            return self._stepped
        number = self.passed
        self.passed += 1
        if self.keeps_places:
            self.places[frame.f_code, frame.f_lineno, event].append(number)
        if self._due and self._due[-1] == number and self._meet is not None:
            self._due.pop()
            self._meet(frame, event)
        return self._stepped


def drawn(places: dict[Place, list[int]], count: int, draw: Random) -> list[int]:
    """Return so many points, in their order: three of four at places drawn alike, the others anywhere.

    A line that runs a thousand times a second would else be nearly all that is tried.
    """
    known = list(places)
    passed = sum(map(len, places.values()))
    found: set[int] = set()
    while len(found) < min(count, passed):
        if draw.random() < 0.75:
            found.add(draw.choice(places[draw.choice(known)]))
        else:
            found.add(draw.randrange(passed))
    return sorted(found)


def name_of(frame: FrameType, event: str) -> str:
    """Return where a point is, in words."""
    where = Path(frame.f_code.co_filename)
    after = " at its end" if event == "return" else ""
    return f"{where.parent.name}/{where.name}:{frame.f_lineno} {frame.f_code.co_name}{after}"
