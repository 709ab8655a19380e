"""The parts of the proof, each a module beside this file: how much each does, and how long it may take."""

import msgspec


class Size(msgspec.Struct, frozen=True):
    """How much a part does, and in how many seconds at most."""

    count: int
    seconds: float


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part, and how much of it is done.

    Attributes
    ----------
    name : str
        How it is called.
    module : str
        Where it is, `promises.NAME` where nothing is said.
    change : Size
        For each change.
    nightly : Size
        For each night.
    """

    name: str
    module: str = ""
    change: Size
    nightly: Size


# Two run side by side, and a free place takes the next one: the longest come first.
PARTS = (
    Part(name="simulate", change=Size(10_000_000, 400), nightly=Size(100_000_000, 2_500)),
    Part(name="power", change=Size(5_000, 120), nightly=Size(50_000, 900)),
    Part(name="crashes", change=Size(1_000, 140), nightly=Size(10_000, 900)),
    Part(name="stateful", change=Size(2_000_000, 90), nightly=Size(20_000_000, 600)),
    Part(name="planted", change=Size(11, 90), nightly=Size(1_000, 900)),
    Part(name="errnos", change=Size(500, 45), nightly=Size(5_000, 250)),
    Part(name="wire", change=Size(4_000, 40), nightly=Size(10_000, 120)),
    Part(name="sweep", change=Size(4, 25), nightly=Size(40, 200)),
)
