"""Balances of a spot account: which of them books and venue can compare, and where they differ."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from tradecore.domain.account_part import AccountPart
from tradecore.domain.units import Units, exact_money, trimmed
from tradecore.domain.venue_findings import BalanceSeen, Findings


class BalanceDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A balance that venue and books do not agree on: all of it, what open orders hold included."""

    currency: str
    venue: Decimal
    books: Decimal
    # How the engine calls the balance, where its account is not the first one.
    name_here: str = ""

    @property
    def words(self) -> str:
        """Say it, and what explains it."""
        name, beyond = self.currency, f"{trimmed(self.venue - self.books):f}"
        has = f"{name}: the venue has {trimmed(self.venue):f}, the books have {trimmed(self.books):f}"
        say = f"`tradecore transfer {self.name_here or name} {beyond} REASON --by PERSON`"
        return f"{has}; if {beyond} came or went without a trade, say so: {say}"


def exchanged_words(differences: Sequence[BalanceDifference]) -> str:
    """Say what else explains balances of which some are too large and some too small; else nothing.

    A trade that others made is no transfer: told as two of them, what it lost or won would be in no profit.
    """
    beyond = [each.venue - each.books for each in differences]
    if not any(each > 0 for each in beyond) or not any(each < 0 for each in beyond):
        return ""
    say = "`tradecore convert CURRENCY AMOUNT INTO RECEIVED REASON --by PERSON`"
    return f"if others traded one for the other, say so: {say}, and `tradecore adjust` of a fee beside it"


def compared_currencies(units: Units, kept: frozenset[int], part: AccountPart) -> frozenset[str]:
    """Return the currencies of an account whose balance is the venue's to the last digit, by its names.

    Those are all of an account that owns what it buys. What a position is settled in is none, because a
    venue books its profit, its margin and its funding in its own time; `kept` are the instruments of which
    the venue keeps positions.
    """
    spot = {number for number in part.instruments if units.is_spot(number) and number not in kept}
    if not spot:
        return frozenset()
    others = {units.settlement(number) for number in part.instruments if number not in spot}
    return frozenset(part.balances) - others


def balance_differences(
    findings: Findings, books: Mapping[str, int], currencies: Collection[str], names: Mapping[str, str]
) -> Iterator[BalanceDifference]:
    """Yield where balances of the venue and of the books, in atto units, are not the same.

    `books` has them by the names of the engine, which `names` has by those of the venue.

    A balance that a whole answer does not show is none. Those that the account does not know are left out:
    nothing here trades them.
    """
    venue = {each.currency: each.total for each in findings.seen if isinstance(each, BalanceSeen)}
    for currency in sorted(currencies):
        name = names.get(currency, currency)
        here, there = exact_money(books.get(name, 0)), venue.get(currency, Decimal(0))
        if here != there:
            named = "" if name == currency else name
            yield BalanceDifference(currency=currency, venue=there, books=here, name_here=named)
