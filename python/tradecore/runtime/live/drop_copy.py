"""Holds what a second reader of a venue account sees against what the line of orders told."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

from tradecore.domain.units import Units
from tradecore.domain.venue_findings import FillSeen, Findings, PositionSeen
from tradecore.runtime.live.balances import balance_differences
from tradecore.runtime.live.reconciliation import position_differences

_SECOND_NS = 1_000_000_000
# How soon what was found once is looked at again.
SECOND_LOOK_NS = _SECOND_NS // 2
_LATE_NS_MIN = 2 * _SECOND_NS
# Trades that are remembered while nobody answers; older ones are compared no more.
HEARD_MAX = 100_000


class CopyStep(StrEnum):
    """How far the second reader is."""

    AGREES = "agrees"
    """It shows what the books have."""
    DOUBTS = "doubts"
    """It shows something else, once so far."""
    PROVING = "proving"
    """It did so twice: new risk waits, and the venue is asked by the line of orders."""
    PROVED = "proved"
    """Books and the line of orders agree; whether the second reader does now is being looked at."""
    CONTRADICTS = "contradicts"
    """The venue says one thing here and another one there: new risk waits until it does not."""


class Act(StrEnum):
    """What is to be done now."""

    NOTHING = "nothing"
    PROVE = "prove"
    """Compare books and venue anew, by the line of orders."""
    LET_GO = "let_go"
    """New risk need not wait for the second reader any more."""


class CopiedBooks(msgspec.Struct, frozen=True):
    """What the books have while a second reader looks: lots by instrument, atto units by currency."""

    positions: Mapping[int, int]
    balances: Mapping[str, int]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What the second reader was shown at one time: positions and balances first, and then fills.

    So a trade that is in the sums is in the fills, too: where all fills were told and nothing was told
    meanwhile, the sums are those of the books, or there is something that no fill explains.

    Attributes
    ----------
    fills, positions, balances : Findings or None
        Its answers; `None` where there was none, or one that is of no use.
    since_ns : int
        From when on fills were asked for.
    books : CopiedBooks or None
        The books beside it; `None` where something was told meanwhile, so that nothing can be compared.
    """

    fills: Findings
    positions: Findings | None = None
    balances: Findings | None = None
    since_ns: int
    books: CopiedBooks | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all could be compared."""
        asked = (self.fills, self.positions, self.balances)
        return self.books is not None and all(each is None or each.is_complete for each in asked)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the second reader shows otherwise: what it is about, and what it shows."""

    about: str
    words: str


# A trade by its market, its order and its own name, which alone may be that of another market or order, too.
_Trade = tuple[str, str, str]
# What kind of finding it is, the trade, the instrument or the currency, and the trade's revision.
_Key = tuple[str, _Trade | str, int]


class DropCopy:
    """Judges one look after the other. It never waits, reads no clock, and books nothing.

    What the second reader shows is never booked for that. A trade that the books do not have is looked at
    twice; then new risk waits, and the line of orders asks the venue itself. What the venue says there goes
    the way of all that it tells. Where it says that there is no such trade, its two answers contradict each
    other: new risk waits on, and both are said.

    Parameters
    ----------
    units : Units
        What numbers mean, for words.
    symbols : mapping of int to str
        Instruments of the account.
    positions : frozenset of int
        Instruments of which the venue keeps a position.
    currencies : frozenset of str
        Whose balances are compared, by the venue's names.
    names : mapping of str to str
        How the engine calls them.
    interval_ns : int
        How often it looks.
    fills_kept_ns : int or None
        How long the venue shows a fill; `None` for ever.
    """

    def __init__(
        self,
        units: Units,
        symbols: Mapping[int, str],
        *,
        positions: frozenset[int],
        currencies: frozenset[str],
        names: Mapping[str, str],
        interval_ns: int,
        fills_kept_ns: int | None = None,
    ) -> None:
        self._units, self._symbols = units, symbols
        self._positions, self._currencies, self._names = positions, currencies, names
        # A trade this old is in the second reader's list, or it lacks it.
        self._late_ns = max(2 * interval_ns, _LATE_NS_MIN)
        self._fills_kept_ns = fills_kept_ns
        self.step = CopyStep.AGREES
        # What is doubted, or contradicts.
        self.findings: dict[_Key, Finding] = {}
        # From which time of the venue on fills are asked for.
        self.since_ns = 0
        # Trades that were found this way and are in the books now.
        self.booked = 0
        self._heard: dict[_Trade, FillSeen] = {}
        self._looks = 0
        # What is found beside a contradiction, once so far.
        self._new: set[_Key] = set()

    @property
    def compares_positions(self) -> bool:
        """Whether the venue keeps positions of anything here."""
        return bool(self._positions & self._symbols.keys())

    @property
    def compares_balances(self) -> bool:
        """Whether there are balances that books and venue have to the last digit."""
        return bool(self._currencies)

    @property
    def holds(self) -> bool:
        """Whether new risk has to wait, though books and the line of orders agree."""
        return self.step in (CopyStep.PROVED, CopyStep.CONTRADICTS)

    def hear(self, fill: FillSeen) -> None:
        """Take in a trade that the line of orders told, by itself or when it was asked."""
        if fill.time_ns < self.since_ns - self._late_ns:
            # It was compared, and is in no list that is asked for from here on.
            return
        name = _name(fill)
        known = self._heard.get(name)
        # What says the same is not put in the place of what is there: that is old, and leaves soon.
        if known is None or (known.revision <= fill.revision and known != fill):
            self._heard[name] = fill
        if len(self._heard) > HEARD_MAX:
            oldest = self._heard.pop(next(iter(self._heard)))
            self.since_ns = max(self.since_ns, oldest.time_ns + 1)

    def looked(self, look: Look) -> Act:
        """Take in what the second reader was shown, and say what follows."""
        found = dict(self._found(look))
        match self.step:
            case CopyStep.AGREES | CopyStep.DOUBTS:
                return self._doubt(found, look)
            case CopyStep.PROVED:
                self._looks += 1
                found = {key: each for key, each in found.items() if key in self.findings}
                if found and self._looks >= 2:
                    self.step, self.findings = CopyStep.CONTRADICTS, found
                return Act.NOTHING if found else self._settled()
            case CopyStep.CONTRADICTS:
                if not found and look.is_whole:
                    return self._settled()
                new = found.keys() - self.findings.keys()
                if new & self._new:
                    # It is no part of the contradiction before it was asked about.
                    self.step, self.findings, self._new = CopyStep.PROVING, found, set()
                    return Act.PROVE
                self._new = new
                found = {key: each for key, each in found.items() if key in self.findings}
                # Where not all could be compared, what was found about positions and money stands.
                self.findings = found or self.findings
        return Act.NOTHING

    def _doubt(self, found: dict[_Key, Finding], look: Look) -> Act:
        twice = {key: each for key, each in found.items() if key in self.findings}
        if twice:
            self.step, self.findings = CopyStep.PROVING, twice
            return Act.PROVE
        self.step, self.findings = (CopyStep.DOUBTS if found else CopyStep.AGREES), found
        if not found and look.fills.is_complete:
            self.since_ns = max(self.since_ns, look.fills.time_ns - 2 * self._late_ns)
            gone = [name for name, fill in self._heard.items() if fill.time_ns < self.since_ns]
            for name in gone:
                del self._heard[name]
        return Act.NOTHING

    def _settled(self) -> Act:
        self.step, self.findings, self._new = CopyStep.AGREES, {}, set()
        return Act.LET_GO

    def proved(self) -> tuple[str, ...]:
        """Take in that books and the line of orders agree; return the trades that are booked by now."""
        if self.step is not CopyStep.PROVING:
            return ()
        booked = {key: each for key, each in self.findings.items() if self._is_told(key)}
        rest = {key: each for key, each in self.findings.items() if key not in booked}
        self.booked += len(booked)
        self.step, self.findings, self._looks = CopyStep.PROVED if rest else CopyStep.AGREES, rest, 0
        return tuple(each.about for each in booked.values())

    def _is_told(self, key: _Key) -> bool:
        """Tell whether a trade that was not told is by now."""
        what, name, revision = key
        known = None if isinstance(name, str) else self._heard.get(name)
        return what == "trade" and known is not None and known.revision >= revision

    def failed(self) -> Act:
        """Take in that the second reader did not answer: that is no evidence, and holds nothing."""
        return self._settled() if self.step is CopyStep.PROVED else Act.NOTHING

    def stopped(self) -> None:
        """Take in that the line of orders is broken, or compares for another reason: begin again after it."""
        if self.step is CopyStep.DOUBTS:
            self.step, self.findings = CopyStep.AGREES, {}

    def _found(self, look: Look) -> Iterator[tuple[_Key, Finding]]:
        """Yield what the second reader shows otherwise than the line of orders told it."""
        shown: dict[_Trade, FillSeen] = {}
        for fill in look.fills.seen:
            # What is older than what was asked for was compared before.
            if isinstance(fill, FillSeen) and fill.time_ns >= look.since_ns:
                known = shown.get(_name(fill))
                if known is None or known.revision <= fill.revision:
                    shown[_name(fill)] = fill
        differing = dict(found for name, fill in shown.items() for found in self._differing(name, fill))
        yield from differing.items()
        if look.fills.is_complete:
            yield from self._lacking(shown, look)
        # A trade that is on its way is in the sums of the venue, and not in those of the books.
        is_on_its_way = any(what == "trade" for what, *_ in differing)
        if look.books is None or is_on_its_way or not look.fills.is_complete:
            return
        if look.positions is not None and look.positions.is_complete:
            seen = _net(look.positions)
            kept = {at: lots for at, lots in look.books.positions.items() if at in self._positions}
            for each in position_differences(seen, kept, self._symbols):
                words = f"has {each.venue_lots} lots of {each.symbol}, and the books have {each.book_lots}"
                about = f"the position in {each.symbol}"
                yield ("position", each.symbol, 0), Finding(about=about, words=words)
        if look.balances is not None and look.balances.is_complete:
            books = look.books.balances
            for money in balance_differences(look.balances, books, self._currencies, self._names):
                words = f"has {money.venue:f} {money.currency}, and the books have {money.books:f}"
                about = f"the balance of {money.currency}"
                yield ("balance", money.currency, 0), Finding(about=about, words=words)

    def _differing(self, name: _Trade, fill: FillSeen) -> Iterator[tuple[_Key, Finding]]:
        told, about = self._heard.get(name), self._words(fill)
        if told is None or told.revision < fill.revision:
            words = f"has {about}, and the line of orders was not told of it"
            yield ("trade", name, fill.revision), Finding(about=about, words=words)
        elif told.revision == fill.revision and _numbers(told) != _numbers(fill):
            words = f"has {about}, and the line of orders was told {self._words(told)}"
            yield ("terms", name, fill.revision), Finding(about=about, words=words)

    def _lacking(self, shown: Mapping[_Trade, FillSeen], look: Look) -> Iterator[tuple[_Key, Finding]]:
        """Yield trades that were told and are not in a whole list that is younger than they are."""
        from_ns = look.since_ns
        if self._fills_kept_ns is not None:
            from_ns = max(from_ns, look.fills.time_ns - self._fills_kept_ns + self._late_ns)
        until_ns = look.fills.time_ns - self._late_ns
        for name, fill in self._heard.items():
            if name not in shown and from_ns <= fill.time_ns <= until_ns:
                about = self._words(fill)
                words = f"does not have {about}, and the line of orders was told of it"
                yield ("lack", name, fill.revision), Finding(about=about, words=words)

    def _words(self, fill: FillSeen) -> str:
        if not fill.lots:
            return f"trade {fill.trade_id} of {fill.symbol} (busted)"
        number, units = fill.instrument, self._units
        if number is None:
            return f"trade {fill.trade_id} ({fill.side} {fill.lots} lots of {fill.symbol})"
        size, price = units.quantity(number, fill.lots), units.price(number, fill.price_ticks)
        return f"trade {fill.trade_id} ({fill.side} {size:f} {fill.symbol} at {price:f})"


def _name(fill: FillSeen) -> _Trade:
    return fill.symbol, fill.venue_order_id, fill.trade_id


def _net(positions: Findings) -> list[PositionSeen]:
    """Return one position for each instrument: where positions hedge, the sum of its tickets."""
    net: dict[tuple[int | None, str], int] = {}
    for each in positions.seen:
        if isinstance(each, PositionSeen):
            place = (each.instrument, each.symbol)
            net[place] = net.get(place, 0) + each.lots
    return [PositionSeen(instrument=at, symbol=name, lots=lots) for (at, name), lots in net.items() if lots]


def _numbers(fill: FillSeen) -> tuple[int, int, object, str]:
    return fill.price_ticks, fill.lots, fill.fee, fill.fee_currency
