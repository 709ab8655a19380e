"""What a watchdog may do at the local venue: ask, and end orders."""

from collections.abc import Sequence
from typing import Self

from tradecore.domain.spec import InstrumentSpec
from tradecore.domain.venue_capabilities import VenueCapabilities
from tradecore.domain.venue_findings import Findings, Question
from tradecore.domain.venue_keys import WatchdogKey, required
from tradecore.domain.venue_requests import Answer, Cancel
from tradecore.ports.clock import Clock
from tradecore_local.client import LocalVenue
from tradecore_local.key import Key


class LocalVenueCancels:
    """The `VenueCancels` of a local venue; made by `connect`.

    Parameters
    ----------
    venue : LocalVenue
        Of the key that can only ask and cancel; closed by `aclose`.
    """

    def __init__(self, venue: LocalVenue) -> None:
        self._venue = venue

    @classmethod
    async def connect(
        cls,
        url: str,
        key: WatchdogKey,
        instruments: Sequence[InstrumentSpec],
        clock: Clock,
        *,
        timeout_seconds: float,
    ) -> Self:
        """Ask the venue what it can do, and return who ends orders there.

        Requests go over HTTP, which needs no socket that stood since the engine was well.

        Raises
        ------
        VenueError
            When it does not answer.
        InvalidValueError
            When it does not have an instrument, or has it otherwise, or for a key of another kind.
        """
        required(WatchdogKey, key)
        signer = Key(key_id=key.key_id, secret=key.secret)
        return cls(
            await LocalVenue.signed_by(
                url, signer, instruments, clock, timeout_seconds=timeout_seconds, over_sockets=False
            )
        )

    @property
    def capabilities(self) -> VenueCapabilities:
        """What the venue said that it can do."""
        return self._venue.capabilities

    async def cancel(self, request: Cancel) -> Answer:
        """Ask for the end of an order, by the venue's name of it where it is known."""
        return await self._venue.cancel(request)

    async def query(self, question: Question) -> Findings:
        """Ask what the venue has; raises `VenueError` when no answer came that can be understood."""
        return await self._venue.query(question)

    async def aclose(self) -> None:
        """Close the sockets."""
        await self._venue.aclose()
