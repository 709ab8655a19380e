"""A second way to ask a scripted venue, which may fail, be late, leave out and invent."""

import msgspec

from support.units import units_in
from tradecore.domain.errors import VenueError
from tradecore.domain.venue_findings import FillSeen, FillsSince, Findings, PositionSeen
from tradecore.runtime.live.drop_copy_line import DropCopyLine, DropCopySettings


class SecondReader:
    """Answers as the venue has it, unless the test says otherwise; its clock goes on with each answer."""

    def __init__(self, venue) -> None:
        self.venue = venue
        self.capabilities = venue.capabilities
        self.time_ns = 1_767_225_600_000_000_000
        self.is_down = False
        # Answers that are given again and again, by what was asked.
        self.old = None
        self.invented = ()
        self.left_out = frozenset()
        self.asked = 0
        self.is_closed = False

    async def connect(self):
        """Be there, or not."""
        if self.is_down:
            raise VenueError("the second endpoint is down")
        return self

    def freeze(self):
        """Give the last answers from here on."""
        self.old = dict(self.last)

    async def query(self, question):
        """Show what there is."""
        self.asked += 1
        if self.is_down:
            raise VenueError("the second endpoint is down")
        kind = type(question)
        if self.old is not None:
            return self.old[kind]
        self.time_ns += 100_000_000
        if isinstance(question, FillsSince):
            seen = [fill for fill in self.venue.fills if fill.trade_id not in self.left_out]
            seen += [fill for fill in self.invented if isinstance(fill, FillSeen)]
        else:
            lots = self.venue.position()
            seen = [PositionSeen(instrument=0, symbol="BTC-USD", lots=lots)] if lots else []
        answer = Findings(seen=tuple(seen), is_complete=True, time_ns=self.time_ns)
        self.last = {**getattr(self, "last", {}), kind: answer}
        return answer

    async def aclose(self):
        """Be gone."""
        self.is_closed = True


def copy_of(reader, *, interval_seconds=0.05):
    """Return a line to a second reader that looks often."""
    units = units_in("USD")
    settings = DropCopySettings(interval_seconds=interval_seconds, answer_seconds_max=0.5)
    return DropCopyLine(reader.connect, units, units.parts[0], settings)


def other(fill, **changes):
    """Return a trade like another one."""
    return msgspec.structs.replace(fill, **changes)
