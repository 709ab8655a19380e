"""Makes a failure small: the same seed with fewer events, faults and kills that still breaks the promise."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from tradecore.proof.plan import Plan
from tradecore.proof.run import Outcome

Item = TypeVar("Item")
_EVENTS_MIN = 20
_EVENTS_EXACT = 10


class Shrunk(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a failure.

    Attributes
    ----------
    plan : Plan
        The smallest plan that was found to break the promise.
    promise : str
        Which one.
    outcome : Outcome
        What the plan comes to.
    runs : int
        How many plans were tried for that.
    is_done : bool
        Whether nothing more could be left out; otherwise the time was over.
    """

    plan: Plan
    promise: str
    outcome: Outcome
    runs: int
    is_done: bool


def shrink(
    plan: Plan, outcome: Outcome, promise: str, run: Callable[[Plan], Outcome], is_over: Callable[[], bool]
) -> Shrunk:
    """Return the smallest plan that breaks a promise, by trying.

    Parameters
    ----------
    plan : Plan
        One that breaks it.
    outcome : Outcome
        What it comes to.
    promise : str
        Which promise has to break.
    run : callable
        Runs a plan.
    is_over : callable
        Says when to make do with what was found.
    """
    return _Search(plan, outcome, promise, run, is_over).shrink()


class _Search:
    """The smallest so far, and how to get at a smaller one."""

    def __init__(
        self,
        plan: Plan,
        outcome: Outcome,
        promise: str,
        run: Callable[[Plan], Outcome],
        is_over: Callable[[], bool],
    ) -> None:
        self._plan = plan
        self._outcome = outcome
        self._promise = promise
        self._run = run
        self._is_over = is_over
        self._runs = 0

    def shrink(self) -> Shrunk:
        """Leave out what can be left out, until there is nothing more, or the time is over."""
        is_done = False
        while not is_done and not self._is_over():
            before = self._plan
            self._leave_out()
            is_done = self._plan == before and not self._is_over()
        return Shrunk(
            plan=self._plan, promise=self._promise, outcome=self._outcome, runs=self._runs, is_done=is_done
        )

    def _leave_out(self) -> None:
        # What only makes the list longer goes first, since every run after that is quicker.
        self._try(shown=0, quotes=1)
        self._try(kills=())
        self._fewer_events()
        for name, least in (("mixes_tasks", False), ("feed_faults", {}), ("jumps", ()), ("limits", None)):
            self._try(world=msgspec.structs.replace(self._plan.world, **{name: least}))
        self._shorten(self._plan.script.rules, self._with_rules)
        self._shorten(self._plan.kills, lambda kills: self._try(kills=kills))
        self._shorten(self._plan.world.jumps, self._with_jumps)
        self._fewer_events()

    def _with_rules(self, rules: tuple[object, ...]) -> bool:
        return self._try(script=msgspec.structs.replace(self._plan.script, rules=rules))

    def _with_jumps(self, jumps: tuple[object, ...]) -> bool:
        return self._try(world=msgspec.structs.replace(self._plan.world, jumps=jumps))

    def _try(self, **changed: object) -> bool:
        """Go on with a smaller plan where it breaks the promise, too."""
        smaller = msgspec.structs.replace(self._plan, **changed)
        if smaller == self._plan or self._is_over():
            return False
        self._runs += 1
        outcome = self._run(smaller)
        if all(each.promise != self._promise for each in outcome.findings):
            return False
        self._plan, self._outcome = smaller, outcome
        return True

    def _fewer_events(self) -> None:
        """Find by halves how few events do."""
        enough, too_few = self._plan.events, _EVENTS_MIN - 1
        while enough - too_few > _EVENTS_EXACT and not self._is_over():
            middle = (enough + too_few) // 2
            if self._try(events=middle):
                enough = middle
            else:
                too_few = middle

    def _shorten(self, items: Sequence[Item], keeps_breaking: Callable[[tuple[Item, ...]], bool]) -> None:
        """Leave out as many items as can be left out: halves first, then quarters, at last one by one."""
        left = tuple(items)
        size = max(len(left) // 2, 1)
        while left and not self._is_over():
            fewer = next((each for each in _without(left, size) if keeps_breaking(each)), None)
            if fewer is not None:
                left = fewer
                size = min(size, max(len(left), 1))
            elif size == 1:
                return
            else:
                size = size // 2


def _without(items: tuple[Item, ...], size: int) -> Iterator[tuple[Item, ...]]:
    for begin in range(0, len(items), size):
        yield (*items[:begin], *items[begin + size :])


def parts_of(plan: Plan) -> dict[str, object]:
    """Return what is left in a plan that can go wrong, as plain values: rules, kills, and the world."""
    left = {
        "rules": [_short(rule) for rule in plan.script.rules],
        "kills": [_short(kill) for kill in plan.kills],
        "world": msgspec.to_builtins({name: value for name, value in _world(plan) if value}),
    }
    return {name: value for name, value in left.items() if value}


def _short(part: msgspec.Struct) -> dict[str, object]:
    found: dict[str, object] = msgspec.to_builtins(part)
    return {name: value for name, value in found.items() if value not in (None, "", [], False)}


def _world(plan: Plan) -> Iterator[tuple[str, object]]:
    for name in plan.world.__struct_fields__:
        yield name, getattr(plan.world, name)
