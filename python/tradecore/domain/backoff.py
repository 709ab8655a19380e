"""How long to wait before the next try."""

from collections.abc import Callable

_FIRST_NS = 500_000_000
_LAST_NS = 30_000_000_000


class Backoff:
    """Doubles from try to try up to a cap; a random half of it keeps many clients from coming back at once.

    Parameters
    ----------
    chance : callable
        Returns a number from 0 (included) to 1.
    first_ns, last_ns : int
        The wait before the first try, and the longest one, in nanoseconds.
    """

    def __init__(
        self, chance: Callable[[], float], *, first_ns: int = _FIRST_NS, last_ns: int = _LAST_NS
    ) -> None:
        self._chance = chance
        self._first_ns = first_ns
        self._last_ns = last_ns
        self._tries = 0

    def next_ns(self) -> int:
        """Return the wait before the next try: from half to all of the doubled one."""
        full_ns = doubled_ns(self._first_ns, self._last_ns, self._tries)
        self._tries += 1
        return full_ns // 2 + int(full_ns / 2 * self._chance())

    def reset(self) -> None:
        """Begin again, after a try that worked."""
        self._tries = 0


def doubled_ns(first_ns: int, most_ns: int, tries: int) -> int:
    """Return a wait that is doubled with each try, the first one with `tries` 0, and at most `most_ns`."""
    return min(first_ns << min(tries, 62), most_ns)
