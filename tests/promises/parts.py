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

    def share(self, share: float) -> "Part":
        """Return a share of it, of size and time alike."""
        sizes = (
            Size(max(int(one.count * share), 1), one.seconds * share) for one in (self.change, self.nightly)
        )
        change, nightly = sizes
        return msgspec.structs.replace(self, change=change, nightly=nightly)


# Two run side by side, and a free place takes the next one: the longest come first.
PARTS = (
    Part(name="simulate", change=Size(10_000_000, 400), nightly=Size(100_000_000, 2_500)),
    # Its first run builds the module in which bugs of Rust can be chosen.
    Part(name="planted", change=Size(11, 180), nightly=Size(1_000, 900)),
    Part(name="crashes", change=Size(1_000, 110), nightly=Size(10_000, 700)),
    Part(name="power", change=Size(5_000, 100), nightly=Size(50_000, 600)),
    Part(name="stateful", change=Size(2_000_000, 70), nightly=Size(20_000_000, 350)),
    Part(name="errnos", change=Size(500, 40), nightly=Size(5_000, 150)),
    Part(name="wire", change=Size(4_000, 35), nightly=Size(10_000, 80)),
    Part(name="sweep", change=Size(4, 25), nightly=Size(40, 120)),
)
