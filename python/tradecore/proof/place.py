"""What a simulation needs from a venue, and from whoever connects an engine to it."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from tradecore.domain.spec import InstrumentSpec
from tradecore.ports.clock import Clock
from tradecore.ports.venue import Venue
from tradecore.ports.venue_cancels import VenueCancels
from tradecore.runtime.live.fenced_venue import SigningClock
from tradecore.runtime.session import Session
from tradecore.testkit.local_venue.exchange import Crowd, LocalExchange
from tradecore.testkit.local_venue.faults import Faults, FaultScript
from tradecore.testkit.local_venue.settings import VenueSettings


class Connection(msgspec.Struct, frozen=True):
    """An engine's way to the venue; `cut` ends it as the kill of a process does.

    `signing` is the clock by which its requests are signed.
    """

    venue: Venue
    cut: Callable[[], None]
    signing: SigningClock


class Place(Protocol):
    """A venue in this process that goes wrong as a script says."""

    @property
    def exchange(self) -> LocalExchange:
        """The exchange; its `truth` is what really happened."""
        ...

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        ...

    @property
    def has_revisions_due(self) -> bool:
        """Whether a trade is still to be told anew."""
        ...

    def tick(self) -> None:
        """Let time pass until now, and tell who listens."""
        ...

    async def connect(self, instruments: Sequence[InstrumentSpec], number: int, clock: Clock) -> Connection:
        """Connect an engine, the so-manieth one of the run, that signs by a clock of its own."""
        ...

    async def keep_safe(
        self, session: Session, wall_ns: Callable[[], int], monotonic_ns: Callable[[], int]
    ) -> None:
        """Pause a session where its clocks or its feed are wrong, as a daemon does; until cancelled."""
        ...

    async def connect_watchdog(self, instruments: Sequence[InstrumentSpec], number: int) -> VenueCancels:
        """Connect a watchdog, the so-manieth time in the run; raises `VenueError` as a venue does."""
        ...


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a place is made of.

    Attributes
    ----------
    venue, script
        What the venue is, and what goes wrong there.
    account : str
        The account that is traded.
    clock : Clock
        Everybody's clock.
    crowd : Crowd
        Others who trade.
    delay_seconds : callable
        How long the next message is on its way.
    on_new_order : callable
        Told the client's name of each new order that arrives at the venue, before it takes effect.
    on_request : callable
        Told the endpoint of each request and question that the venue weighs, as it leaves.
    """

    venue: VenueSettings
    script: FaultScript
    account: str
    clock: Clock
    crowd: Crowd
    delay_seconds: Callable[[], float]
    on_new_order: Callable[[str], None]
    on_request: Callable[[str], None]


PlaceMaker = Callable[[Setting], Place]
