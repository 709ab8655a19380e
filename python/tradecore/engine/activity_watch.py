"""Says while an engine runs what keeps its strategies from trading, each thing once."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from tradecore._core import Kernel
from tradecore.domain.units import Units
from tradecore.engine.activity_report import Watched, refusals, standing_notes, unfed_notes, without_data

# How much of the engine's time must have passed before "nothing came" is worth saying.
_PATIENCE_NS = 60_000_000_000


class ActivityWatch:
    """Looks at an engine now and then and gives each sentence once; `Engine.watch` makes one.

    Parameters
    ----------
    kernel : Kernel
        What is looked at.
    units : Units
        What its numbers mean.
    watched : sequence of Watched
        Its strategies.
    has_refusals : bool
        Say the first refusal of each rule and strategy too.
    """

    def __init__(
        self, kernel: Kernel, units: Units, watched: Sequence[Watched], *, has_refusals: bool
    ) -> None:
        self._kernel = kernel
        self._units = units
        self._watched = watched
        self._has_refusals = has_refusals
        self._refusals = 0
        self._first_ns: int | None = None
        self._told: set[str] = set()

    def news(self) -> list[str]:
        """Return what was not said before.

        Methods that nothing calls are said by the first call, and the first refusal of each rule and strategy
        once it happened. Data that do not come, and bars that nothing feeds, are said once a minute of the
        engine's time has passed.
        """
        fresh = [(key, text) for key, text in self._found() if key not in self._told]
        self._told.update(key for key, _ in fresh)
        return [text for _, text in fresh]

    def _found(self) -> Iterator[tuple[str, str]]:
        """Give each sentence with what it is known by; a look that finds nothing new costs little."""
        if self._first_ns is None:
            yield from self._notes(lambda known: standing_notes(known.binding.strategy))
        if self._has_refusals and (count := self._kernel.counters()["refusals"]) != self._refusals:
            self._refusals = count
            yield from self._first_refusals()
        if self._is_patience_over():
            for symbol in without_data(self._kernel, self._units, self._watched):
                yield symbol, f"{symbol} has had no data so far: no bar, quote, trade or book came"
            yield from self._notes(lambda known: unfed_notes(self._kernel, self._units, known, is_over=False))

    def _notes(self, of: Callable[[Watched], Iterable[str]]) -> Iterator[tuple[str, str]]:
        for known in self._watched:
            for note in of(known):
                text = f"strategy {known.binding.name}: {note}"
                yield text, text

    def _first_refusals(self) -> Iterator[tuple[str, str]]:
        for strategy_id, known in enumerate(self._watched):
            name = known.binding.name
            for rule in refusals(self._kernel, self._units, strategy_id):
                text = f"{rule.rule} refused an order of {rule.instrument} at {rule.first_time}: {rule.first}"
                yield f"{name} {rule.rule}", f"strategy {name}: {text}"

    def _is_patience_over(self) -> bool:
        now_ns = self._kernel.now_ns
        if not self._first_ns:
            # An engine that has seen no event yet has no time.
            self._first_ns = now_ns
        return bool(self._first_ns) and now_ns - self._first_ns >= _PATIENCE_NS
