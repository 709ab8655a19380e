"""What one seed decides: the venue, what goes wrong there, how the engine dies, and how fast messages are."""

from random import Random

import msgspec

from tradecore.domain.spec import InstrumentSpec, SequenceRule
from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.proof.mortal_journal import Kill, Moment
from tradecore.proof.world import BOOK_AGE_NS, PLAIN, World, world_of
from tradecore.testkit.local_venue.faults import Endpoint, FaultKind, FaultRule, FaultScript
from tradecore.testkit.local_venue.settings import (
    AccountSetting,
    FeeSetting,
    MarketSetting,
    VenueSettings,
)

ACCOUNT = "proof"
CASH = "1000000"
_SECOND_NS = 1_000_000_000
_E, _K = Endpoint, FaultKind
_REQUESTS = (_E.SUBMIT, _E.CANCEL, _E.REPLACE)
_QUESTIONS = (_E.OPEN_ORDERS, _E.ONE_ORDER, _E.FILLS, _E.POSITIONS, _E.BALANCES)
_OF_REQUESTS = (
    _K.REQUEST_LOST, _K.ANSWER_LOST, _K.REQUEST_LATE, _K.ANSWER_LATE, _K.REQUEST_DOUBLED,
    _K.REQUEST_REORDERED, _K.TOO_MANY_REQUESTS, _K.SERVER_ERROR, _K.HALF_OPEN, _K.CLOCK_SKEW,
    _K.HTML_PAGE, _K.TRUNCATED_JSON,
)  # fmt: skip
_OF_QUESTIONS = (
    _K.REQUEST_LOST, _K.ANSWER_LOST, _K.ANSWER_LATE, _K.SERVER_ERROR, _K.TOO_MANY_REQUESTS, _K.EMPTY_LIST,
    _K.PARTIAL_PAGE, _K.OLD_ANSWER, _K.HTML_PAGE, _K.TRUNCATED_JSON,
)  # fmt: skip
_OF_FRAMES = (
    _K.FRAME_UNSENT, _K.FRAME_LOST, _K.FRAME_DOUBLED, _K.FRAME_SWAPPED, _K.FRAME_LATE, _K.FRAME_GARBLED,
    _K.DISCONNECT, _K.SILENCE,
)  # fmt: skip
_HIDES_ANSWERS = (
    _K.ANSWER_LOST, _K.ANSWER_LATE, _K.SERVER_ERROR, _K.HTML_PAGE, _K.TRUNCATED_JSON, _K.REQUEST_LATE,
    _K.REQUEST_LATE,
)  # fmt: skip
_HIDES_NEWS = (_K.FRAME_UNSENT, _K.FRAME_UNSENT, _K.FRAME_LATE, _K.SILENCE)
_FRAMES = (_E.STREAM_ORDER, _E.STREAM_FILL, _E.STREAM_BALANCE)
_ALL: tuple[tuple[FaultKind, tuple[Endpoint, ...]], ...] = (
    *((kind, _REQUESTS) for kind in _OF_REQUESTS),
    *((kind, _QUESTIONS) for kind in _OF_QUESTIONS),
    *((kind, _FRAMES) for kind in _OF_FRAMES),
    *((kind, (_E.TRADE,)) for kind in (_K.TRADE_BUSTED, _K.TRADE_CORRECTED)),
)
_STOPS_ALL = frozenset({_K.HALF_OPEN, _K.SILENCE, _K.DISCONNECT, _K.FRAME_GARBLED})


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that one seed decides.

    Attributes
    ----------
    seed : int
        The seed.
    events : int
        How long the journal gets before the engine takes no new risk any more.
    venue, script
        What the venue is, and what goes wrong there.
    kills : tuple of Kill
        How each engine dies but the last one.
    traded, shown : int
        How many instruments are traded, and how many have quotes alone.
    tick_ms : int
        How often the feed says something.
    quotes : int
        How many quotes each instrument without trades has then.
    acts_in : int
        Of so many quotes the strategy acts on one.
    delay_ms_max : float
        The longest a message is on its way.
    feed_loss : float
        Share of updates of books that get lost.
    check_seconds : float
        How often books and venue are compared.
    flattens : bool
        Whether positions are closed at the end.
    world : World
        What else is wrong: the order of tasks, feed, clock, limits.
    """

    seed: int
    events: int
    venue: VenueSettings
    script: FaultScript
    kills: tuple[Kill, ...]
    traded: int
    shown: int
    tick_ms: int
    quotes: int
    acts_in: int
    delay_ms_max: float
    feed_loss: float
    check_seconds: float
    flattens: bool
    world: World = PLAIN

    @property
    def instruments(self) -> tuple[InstrumentSpec, ...]:
        """All instruments of the engine."""
        found = (market.instrument for market in self.venue.markets)
        if not self.world.feed_faults:
            return tuple(found)
        return tuple(msgspec.structs.replace(each, book_age_ns_max=BOOK_AGE_NS) for each in found)


def plan_of(seed: int, events: int) -> Plan:
    """Return what a seed decides for a run of so many events."""
    # S311: chance for a simulation, not for a secret.
    draw = Random(f"plan/{seed}")  # noqa: S311
    traded, shown = draw.choice((1, 1, 2)), 4
    duplicate_ids = draw.choice(tuple(DuplicateIds))
    markets = tuple(
        MarketSetting(
            instrument=InstrumentSpec(
                symbol=f"M{number}-USD",
                tick_size="0.01",
                lot_size="0.001",
                sequence=SequenceRule.BINANCE_SPOT if number < traded else SequenceRule.NONE,
            ),
            base=f"M{number}",
            quote="USD",
            is_margin=True,
            leverage=5,
            start_ticks=draw.randrange(500, 100_000),
            has_agents=False,
        )
        for number in range(traded + shown)
    )
    venue = VenueSettings(
        seed=seed,
        markets=markets,
        accounts=(AccountSetting(name=ACCOUNT, balances={"USD": CASH}),),
        fees=FeeSetting(maker_bps=draw.choice(("-1", "0", "1.5")), taker_bps=draw.choice(("0", "5"))),
        duplicate_ids=duplicate_ids,
        replaces=draw.random() < 0.75,
        post_only=draw.random() < 0.9,
        reduce_only=draw.random() < 0.75,
        validity_window_ns=draw.choice((_SECOND_NS // 2, _SECOND_NS, 5 * _SECOND_NS, 5 * _SECOND_NS)),
        page_max=draw.choice((3, 50, 500)),
        dead_man_ms_max=draw.choice((0, 0, 60_000)),
    )
    world = world_of(seed, events)
    return Plan(
        seed=seed,
        events=events,
        venue=venue if world.limits is None else msgspec.structs.replace(venue, limits=world.limits),
        script=FaultScript(seed=seed, rules=_rules(draw, duplicate_ids)),
        # An order in doubt at a venue that knows no names of clients waits for a person, for ever.
        kills=() if duplicate_ids is DuplicateIds.NONE else _kills(draw, events),
        traded=traded,
        shown=shown,
        tick_ms=draw.choice((5, 20, 50)),
        quotes=draw.choice((1, 2, 4)),
        acts_in=draw.choice((1, 1, 2)),
        delay_ms_max=draw.choice((0.5, 5.0, 40.0, 300.0)),
        feed_loss=draw.choice((0.0, 0.0, 0.01)),
        check_seconds=draw.choice((2.0, 5.0)),
        flattens=draw.random() < 0.5,
        world=world,
    )


def _rules(draw: Random, duplicate_ids: DuplicateIds) -> tuple[FaultRule, ...]:
    """Return what goes wrong: nothing, one thing often, two that hide each other, or many now and then."""
    way = draw.random()
    if way < 0.05:
        return ()
    if way < 0.25:
        chosen, highest = [draw.choice(_ALL)], 250_000
    elif way < 0.5:
        # What became of a request is not answered, and not told either.
        request, frame = draw.choice(_HIDES_ANSWERS), draw.choice(_HIDES_NEWS)
        chosen, highest = [(request, _REQUESTS), (frame, (_E.STREAM_ORDER, _E.STREAM_FILL))], 300_000
    elif way < 0.6:
        told_anew = [(kind, (_E.TRADE,)) for kind in (_K.TRADE_BUSTED, _K.TRADE_CORRECTED)]
        chosen, highest = [*told_anew, (draw.choice(_OF_FRAMES), _FRAMES)], 200_000
    else:
        chosen, highest = draw.sample(_ALL, draw.randrange(3, 14)), 60_000
    rules = []
    for kind, endpoints in chosen:
        for endpoint in endpoints:
            if endpoint is _E.SUBMIT and kind in _out_of_reach(duplicate_ids):
                continue
            most = highest // 10 if kind in _STOPS_ALL else highest
            rules.append(
                FaultRule(
                    kind=kind,
                    endpoint=endpoint,
                    probability_ppm=draw.randrange(most // 5, most),
                    delay_ms=draw.choice((20, 1_500, 4_000, 4_000)),
                    takes_effect=draw.random() < 0.5,
                    ticks=draw.choice((-2, 1, 3)),
                    lots=draw.choice((-1, 0, 2)),
                )
            )
    return tuple(rules)


def _out_of_reach(duplicate_ids: DuplicateIds) -> frozenset[FaultKind]:
    """Return what may not happen to a new order at such a venue, because no engine can make it good.

    What a proxy sends twice is traded twice by a venue that does not refuse the second for ever. Where no
    name of the client is known, nobody can say what became of an order whose answer was lost.
    """
    if duplicate_ids is DuplicateIds.REFUSED:
        return frozenset()
    if duplicate_ids is DuplicateIds.NONE:
        return frozenset(_OF_REQUESTS) - {_K.TOO_MANY_REQUESTS, _K.CLOCK_SKEW}
    return frozenset({_K.REQUEST_DOUBLED})


def _kills(draw: Random, events: int) -> tuple[Kill, ...]:
    times = sorted(draw.randrange(20, max(events, 21)) for _ in range(draw.choice((0, 1, 3, 6))))
    return tuple(
        Kill(
            records=records,
            moment=draw.choice(tuple(Moment)),
            delay_ms=draw.choice((1, 10, 100, 700)),
            takes_unsynced=draw.random() < 0.3,
            down_ms=draw.choice((1, 200, 3_000, 20_000)),
        )
        for records in times
    )
