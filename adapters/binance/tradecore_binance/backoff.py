"""How long to wait before the next try."""

from collections.abc import Callable

_FIRST_NS = 500_000_000
_LAST_NS = 30_000_000_000


class Backoff:
    """Doubles from try to try up to a cap; a random half of it keeps many clients from coming back at once.

    Parameters
    ----------
    random : callable
        Returns a number from 0 (included) to 1.
    first_ns, last_ns : int
        The wait before the first try, and the longest one, in nanoseconds.
    """

    def __init__(
        self, random: Callable[[], float], *, first_ns: int = _FIRST_NS, last_ns: int = _LAST_NS
    ) -> None:
        self._random = random
        self._first_ns = first_ns
        self._last_ns = last_ns
        self._tries = 0

    def next_ns(self) -> int:
        """Return the wait before the next try: from half to all of the doubled one."""
        full_ns = min(self._last_ns, self._first_ns << min(self._tries, 62))
        self._tries += 1
        return full_ns // 2 + int(full_ns / 2 * self._random())

    def reset(self) -> None:
        """Begin again, after a try that worked."""
        self._tries = 0
