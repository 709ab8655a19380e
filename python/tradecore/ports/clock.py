"""Port: what time it is."""

from typing import Protocol


class Clock(Protocol):
    """What the runtime needs to know about time; the engine itself never asks."""

    def now_ns(self) -> int:
        """Return UTC nanoseconds since 1970; never less than the answer before."""
        ...

    async def sleep_until(self, time_ns: int, /) -> None:
        """Return once `now_ns` has reached `time_ns`; at once when it has already."""
        ...
