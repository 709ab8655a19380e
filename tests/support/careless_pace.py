"""Strategies that break the engine they run in, as faults that who watches its sends has to find."""

from live_pace import Pace
from tradecore.domain.venue_requests import Submit
from tradecore.runtime.commit import Commit
from tradecore.runtime.live.venue_link import VenueLink


class Unsynced(Pace):
    """Nothing of the journal is synced."""

    def on_start(self, ctx):
        """Break it."""
        super().on_start(ctx)
        commit = Commit._commit
        Commit._commit = lambda self, *, is_durable: commit(self, is_durable=False)


class Doubling(Pace):
    """Each order is sent twice."""

    def on_start(self, ctx):
        """Break it."""
        super().on_start(ctx)
        send = VenueLink._send

        async def twice(self, each):
            await send(self, each)
            if isinstance(each.request, Submit):
                await self._venue.submit(each.request)

        VenueLink._send = twice
