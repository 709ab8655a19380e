"""What a program says of itself while it is recorded, and who judges by it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

Said = Sequence[dict[str, object]]
"""What was said so far: `begun` before something is done, and `ended` once it counts as safe."""


class Say(Protocol):
    """Says something about what was done just now."""

    def __call__(self, **words: object) -> None:
        """Say it."""
        ...


class Judge(Protocol):
    """Lets the real recovery look at an image, and says what is wrong with what it found.

    Parameters
    ----------
    seed : int
        That by which was written.
    """

    def __init__(self, seed: int) -> None:
        """Learn what was written."""
        ...

    def faults(self, image: Path, said: Said) -> list[str]:
        """Return what is wrong, given what was said before the power failed."""
        ...


class Setting(Protocol):
    """A module that writes files, and judges what is left of them."""

    WHAT: str
    SHARE: float
    Judge: type[Judge]
