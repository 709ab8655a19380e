"""What a run may show on a terminal while it runs."""

from typing import Protocol


class View(Protocol):
    """What shows on a terminal what an engine does."""

    async def keep(self) -> None:
        """Show the latest state again and again, until the task is cancelled."""
        ...

    def leave(self) -> bool:
        """Give the terminal back as it was; tell whether that could be done. Calling it twice is harmless."""
        ...
