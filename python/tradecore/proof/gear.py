"""What an engine of a simulation is started with beside its plan."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from tradecore.domain.journal import JournalFolder, JournalWriter
from tradecore.ports.journal import Journal
from tradecore.ports.venue import Venue
from tradecore.proof.place import Connection


def _bare_journal(writer: JournalWriter, _: Path) -> Journal:
    return writer


def _bare_venue(connection: Connection, _: JournalFolder) -> Venue:
    return connection.venue


class Gear(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine is started with.

    Attributes
    ----------
    journal : callable
        Returns the journal over its writer and the path of its file.
    venue : callable
        Returns the venue over its connection and the folder of the journal.
    dead_man_ns : int
        After which silence the venue ends all orders, where it has such a timer.
    """

    journal: Callable[[JournalWriter, Path], Journal] = _bare_journal
    venue: Callable[[Connection, JournalFolder], Venue] = _bare_venue
    dead_man_ns: int = 30_000_000_000


PLAIN = Gear()
