"""The lines to several venues, one for each account of an engine, as one."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from tradecore.domain.account_part import AccountPart
from tradecore.domain.errors import InvalidValueError
from tradecore.domain.record import JournalRecord
from tradecore.engine import Engine
from tradecore.runtime.live.record_accounts import RecordAccounts
from tradecore.runtime.live.venue_link import VenueLink
from tradecore.runtime.live.words import Word


class VenueLinks:
    """Hands each durable record to the line of its account, and what venues say to the engine.

    Each line has an order table, a comparison, a budget and a breaker of its own: what goes wrong at one
    venue keeps nothing from another. An order reaches no line but that of its account, so no other can send
    it.

    Parameters
    ----------
    links : mapping of str to VenueLink
        The line of each account, by its name.
    parts : sequence of AccountPart
        The accounts of the engine.

    Raises
    ------
    InvalidValueError
        When an account has no line, or a line no account.
    """

    def __init__(self, links: Mapping[str, VenueLink], parts: Sequence[AccountPart]) -> None:
        names = [part.name for part in parts]
        if sorted(links) != sorted(names):
            raise InvalidValueError("links", ", ".join(links), f"must be those of {', '.join(names)}")
        self.links = {name: links[name] for name in names}
        self._by_number = tuple(self.links.values())
        self._accounts = RecordAccounts(parts)

    def start(self, engine: Engine, wake: Callable[[], None]) -> None:
        """Take over the open orders of an engine; no new risk until books and venues agree."""
        rows = engine.kernel.open_orders() if len(self._by_number) > 1 else []
        self._accounts.know((row["order_id"], row["instrument_id"]) for row in rows)
        for link in self._by_number:
            link.start(engine, wake)

    def take(self) -> list[Word]:
        """Return what the engine is to be told, of each venue in the order in which it was heard."""
        return [word for link in self._by_number for word in link.take()]

    def dispatch(self, records: Sequence[JournalRecord]) -> None:
        """Send what these records ask for, each request to the venue of its account; they are durable."""
        if len(self._by_number) == 1:
            # All of it is of the one account.
            self._by_number[0].dispatch(records)
            return
        shares: list[list[JournalRecord]] = [[] for _ in self._by_number]
        for record in records:
            account = self._accounts.of(record)
            for share in shares if account is None else (shares[account],):
                share.append(record)
        for link, share in zip(self._by_number, shares, strict=True):
            link.dispatch(share)

    async def run(self) -> None:
        """Listen and work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, link in self.links.items():
                group.create_task(link.run(), name=f"venue of {name}")

    async def close(self, seconds_max: float, *, is_clean: bool = False) -> None:
        """Let go of all venues at once; one that hangs is left behind."""
        await asyncio.gather(*(link.close(seconds_max, is_clean=is_clean) for link in self._by_number))
