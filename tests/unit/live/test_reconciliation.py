"""When books and venue are compared, what is asked, and what follows from the answers."""

from decimal import Decimal

import pytest

from tradecore.domain.venue_findings import (
    Balances,
    BalanceSeen,
    FillsSince,
    Findings,
    OneOrder,
    OpenOrders,
    Positions,
    PositionSeen,
)
from tradecore.runtime.live.reconciliation import (
    OVERLAP_NS,
    Difference,
    Outcome,
    Reconciliation,
    Step,
    position_differences,
)

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS


class Desk:
    """A comparison on a clock of the test, at a venue whose clock says `venue_ns`."""

    def __init__(self, **settings) -> None:
        self.compared = Reconciliation(frozenset({0}), **settings)
        self.compared.watermark_ns = 1_000 * SECOND_NS
        self.now_ns = 0
        self.venue_ns = 1_010 * SECOND_NS
        self.books = {0: 5}

    def asks(self, *, is_settled=True):
        """Return what is asked now."""
        return self.compared.asks(self.now_ns, is_settled=lambda: is_settled)

    def wait(self, seconds):
        """Let time pass here and there."""
        self.now_ns += int(seconds * SECOND_NS)
        self.venue_ns += int(seconds * SECOND_NS)

    def answer(self, question, *, is_complete=True):
        """Answer about orders or fills."""
        self.compared.found(question, Findings(is_complete=is_complete, time_ns=self.venue_ns))

    def positions(self, lots, *, is_complete=True, has_news=False):
        """Answer about positions."""
        seen = (PositionSeen(instrument=0, symbol="GOLD", lots=lots),) if lots else ()
        findings = Findings(seen=seen, is_complete=is_complete)
        return self.compared.compare(findings, self.books, {0: "GOLD"}, self.now_ns, has_news=has_news)

    def round(self, lots=5):
        """Ask and answer all of a comparison."""
        for question in self.asks():
            self.answer(question)
        assert self.asks() == [Positions()]
        return self.positions(lots)

    def agreed(self):
        """Come to an agreement."""
        self.compared.begin(self.now_ns)
        assert self.round() is Outcome.AGREED
        return self


def test_a_check_begins_after_its_time_and_lets_new_risk_go_on():
    """It shows nothing and says nothing while all agrees, and moves the watermark."""
    desk = Desk(check_seconds=60).agreed()
    assert desk.compared.watermark_ns == desk.venue_ns
    desk.wait(59.9)
    assert desk.asks() == []
    desk.wait(0.1)
    asked = desk.asks()
    assert asked == [OpenOrders(), FillsSince(time_ns=desk.compared.watermark_ns - OVERLAP_NS)]
    assert (desk.compared.shown, desk.compared.is_over) == (Step.AGREED, True)
    for question in asked:
        desk.answer(question)
    assert desk.asks() == [Positions()]
    assert desk.positions(5) is Outcome.NOTHING
    assert desk.compared.watermark_ns == desk.venue_ns
    assert Desk(check_seconds=0).agreed().compared.next_due_ns() is None


def test_what_a_check_finds_once_is_looked_at_again_and_found_twice_it_halts():
    """A trade that is on its way explains the first; the second has no such excuse."""
    desk = Desk(check_seconds=60).agreed()
    desk.wait(60)
    assert desk.round(lots=7) is Outcome.NOTHING
    assert (desk.compared.shown, desk.compared.differences) == (Step.AGREED, ())
    assert desk.asks() == []
    desk.wait(1)
    assert desk.round(lots=7) is Outcome.PARTED
    assert desk.compared.shown is Step.DIFFERS
    (difference,) = desk.compared.differences
    assert (difference.venue_lots, difference.book_lots) == (7, 5)
    desk.wait(1)
    desk.books = {0: 7}
    assert desk.round(lots=7) is Outcome.AGREED
    assert (desk.compared.shown, desk.compared.differences) == (Step.AGREED, ())


def test_a_difference_that_a_late_fill_explains_halts_nothing():
    """The second round asks for orders and fills too."""
    desk = Desk(check_seconds=60).agreed()
    desk.wait(60)
    assert desk.round(lots=7) is Outcome.NOTHING
    desk.wait(1)
    desk.books = {0: 7}
    assert desk.round(lots=7) is Outcome.NOTHING
    assert desk.compared.is_over


def test_what_is_told_meanwhile_is_no_difference():
    """After a start it asks again at once; a check has time."""
    desk = Desk(check_seconds=60)
    desk.compared.begin(0)
    for question in desk.asks():
        desk.answer(question)
    desk.asks()
    assert desk.positions(7, has_news=True) is Outcome.NOTHING
    assert desk.asks() == [Positions()]
    assert desk.positions(5) is Outcome.AGREED
    desk.wait(60)
    for question in desk.asks():
        desk.answer(question)
    desk.asks()
    assert desk.positions(7, has_news=True) is Outcome.NOTHING
    assert desk.asks() == []


@pytest.mark.parametrize(("kept_days", "is_enough"), [(8, True), (6, False)])
def test_a_lookback_that_is_too_short_halts_and_says_what_to_do(kept_days, is_enough):
    """The engine was away for seven days, with an order open."""
    desk = Desk(fills_kept_ns=kept_days * DAY_NS)
    desk.venue_ns += 7 * DAY_NS - 10 * SECOND_NS
    desk.compared.begin(0)
    for question in desk.asks():
        desk.answer(question)
    assert (desk.compared.step is Step.SETTLING) is is_enough
    if not is_enough:
        assert "the books are 7 d old, and the venue shows fills of the last 6 d" in desk.compared.trouble
        assert 'live.short_lookback = "accept"' in desk.compared.trouble
        desk.wait(3600)
        assert desk.asks() == [FillsSince(time_ns=desk.compared.watermark_ns - OVERLAP_NS)]
        assert not desk.compared.is_over


@pytest.mark.parametrize(
    ("settings", "has_open_orders"), [({"takes_short_lookback": True}, True), ({}, False)]
)
def test_a_short_lookback_is_no_trouble_where_nothing_was_open_or_it_is_accepted(settings, has_open_orders):
    """All else still has to agree."""
    desk = Desk(fills_kept_ns=DAY_NS, **settings)
    desk.venue_ns += 7 * DAY_NS
    desk.compared.begin(0, has_open_orders=has_open_orders)
    assert desk.round(lots=4) is Outcome.NOTHING
    desk.wait(1)
    assert desk.round(lots=5) is Outcome.AGREED


def test_nothing_follows_from_half_a_list():
    """Of orders, fills or positions: it is asked again."""
    desk = Desk()
    desk.compared.begin(0)
    orders, fills = desk.asks()
    desk.answer(orders)
    desk.answer(fills, is_complete=False)
    assert "all fills" in desk.compared.trouble
    desk.wait(1)
    assert desk.asks() == [fills]
    desk.answer(fills)
    assert desk.asks() == [Positions()]
    assert desk.positions(0, is_complete=False) is Outcome.NOTHING
    assert "all positions" in desk.compared.trouble
    assert desk.compared.watermark_ns == 1_000 * SECOND_NS


def test_a_difference_that_stays_is_looked_at_less_and_less_often():
    """Ten hours of it are no flood of questions."""
    desk = Desk()
    desk.compared.begin(0)
    rounds = 0
    while desk.now_ns < 36_000 * SECOND_NS:
        if desk.asks() or desk.compared.step is Step.COMPARING:
            for question in (OpenOrders(), FillsSince(time_ns=0)):
                desk.answer(question)
            desk.asks()
            desk.positions(7)
            rounds += 1
        desk.wait(1)
    assert 2_000 < rounds < 2_400
    assert desk.compared.shown is Step.DIFFERS


class SpotDesk(Desk):
    """A comparison where the account owns what it buys: no position is kept, two balances are compared."""

    def __init__(self) -> None:
        super().__init__(currencies=frozenset({"USD", "BTC"}))
        self.compared = Reconciliation(frozenset(), currencies=frozenset({"USD", "BTC"}))
        self.money = {"USD": 5 * 10**18 + 1, "BTC": 0, "EUR": 7}

    def balances(self, usd, *, is_complete=True, has_news=False, **others):
        """Answer about balances."""
        told = {"USD": usd, "DOGE": "9", **others}
        seen = tuple(
            BalanceSeen(currency=name, total=Decimal(of), free=Decimal(0)) for name, of in told.items()
        )
        findings = Findings(seen=seen, is_complete=is_complete)
        return self.compared.balance(findings, self.money, self.now_ns, has_news=has_news)

    def to_balances(self):
        """Come to the question about balances."""
        for question in self.asks():
            self.answer(question)
        assert self.asks() == [Positions()]
        assert self.positions(0) is Outcome.NOTHING
        assert self.asks() == [Balances()]
        return self


RIGHT = "5.000000000000000001"


def test_balances_agree_to_the_last_digit_before_new_risk_is_taken():
    """What the account does not know is no difference; what the venue does not show is none of it."""
    desk = SpotDesk()
    desk.compared.begin(desk.now_ns)
    assert desk.to_balances().balances(RIGHT) is Outcome.AGREED
    other = SpotDesk()
    other.compared.begin(other.now_ns)
    assert other.to_balances().balances("5") is Outcome.NOTHING
    assert (other.compared.shown, other.compared.is_over) == (Step.DIFFERS, False)
    (found,) = other.compared.balances
    assert found.words.startswith("USD: the venue has 5, the books have 5.000000000000000001; if -0.0000")
    assert "`tradecore transfer USD -0.000000000000000001 REASON --by PERSON`" in found.words


def test_a_balance_that_differs_twice_ends_new_risk_and_a_transfer_explains_it():
    """The first time may be a trade that is not told yet, so all is asked again."""
    desk = SpotDesk()
    desk.compared.begin(desk.now_ns)
    assert desk.to_balances().balances(RIGHT) is Outcome.AGREED
    desk.wait(60)
    assert desk.to_balances().balances("6") is Outcome.NOTHING
    assert (desk.compared.is_over, desk.compared.balances) == (True, ())
    desk.wait(1)
    assert desk.to_balances().balances("6") is Outcome.PARTED
    assert not desk.compared.is_over
    assert [each.currency for each in desk.compared.balances] == ["USD"]
    desk.money["USD"] = 6 * 10**18
    desk.wait(1)
    assert desk.to_balances().balances("6") is Outcome.AGREED
    assert desk.compared.balances == ()


def test_an_answer_about_balances_that_may_be_old_or_short_says_nothing():
    """A trade that was told meanwhile makes it ask for positions and balances again."""
    desk = SpotDesk()
    desk.compared.begin(desk.now_ns)
    assert desk.to_balances().balances("6", has_news=True) is Outcome.NOTHING
    assert desk.asks() == [Positions()]
    assert desk.positions(0) is Outcome.NOTHING
    assert desk.asks() == [Balances()]
    assert desk.balances("6", is_complete=False) is Outcome.NOTHING
    assert "did not show all balances" in desk.compared.trouble
    assert desk.compared.balances == ()
    desk.wait(1)
    assert desk.asks() == [Balances()]
    assert desk.balances(RIGHT, BTC="0") is Outcome.AGREED


def test_each_look_at_a_difference_that_stays_comes_after_its_wait():
    """Five times after the retry time, then after twice as long each time, up to sixteen times as long."""
    desk = Desk(retry_seconds=2)
    desk.compared.begin(0)
    waits = []
    for _ in range(12):
        desk.round(lots=7)
        waits.append((desk.compared.next_due_ns() - desk.now_ns) / (2 * SECOND_NS))
        desk.now_ns = desk.compared.next_due_ns()
        assert desk.compared.asks(desk.now_ns - 1, is_settled=lambda: True) == []
    assert waits == [1, 1, 1, 1, 1, 2, 4, 8, 16, 16, 16, 16]
    desk.compared.begin(desk.now_ns)
    desk.round(lots=7)
    assert desk.compared.next_due_ns() - desk.now_ns == 2 * SECOND_NS


def test_what_is_not_answered_is_asked_again_after_the_retry_time():
    """Of two questions the one without an answer; the other one counts."""
    desk = Desk(retry_seconds=2)
    desk.compared.begin(5)
    assert desk.compared.next_due_ns() == 5
    assert desk.asks() == []
    desk.now_ns = 5
    orders, fills = desk.asks()
    assert desk.compared.next_due_ns() == 5 + 2 * SECOND_NS
    desk.answer(fills)
    desk.now_ns += 2 * SECOND_NS - 1
    assert desk.asks() == []
    desk.now_ns += 1
    assert desk.asks() == [orders]
    desk.answer(orders)
    assert desk.compared.next_due_ns() is None
    assert desk.asks(is_settled=False) == []
    assert desk.asks() == [Positions()]
    assert desk.compared.next_due_ns() == desk.now_ns + 2 * SECOND_NS


def test_that_a_venue_has_no_position_is_asked_twice():
    """The second time after a quarter of the retry time: an empty list is no proof."""
    desk = Desk(retry_seconds=2)
    desk.books = {0: 0}
    desk.compared.begin(0)
    assert desk.round(lots=0) is Outcome.NOTHING
    assert desk.compared.next_due_ns() == SECOND_NS // 2
    desk.wait(0.5)
    assert desk.asks() == [Positions()]
    assert desk.positions(0) is Outcome.AGREED
    desk.compared.begin(desk.now_ns)
    assert desk.round(lots=0) is Outcome.NOTHING, "each comparison asks twice"


def test_a_venue_that_keeps_no_positions_has_nothing_to_compare():
    """Orders and fills are all there is, and one empty answer is enough."""
    desk = Desk()
    desk.compared = Reconciliation(frozenset())
    desk.compared.begin(0)
    assert desk.round(lots=0) is Outcome.AGREED


def test_news_let_a_check_wait_and_a_start_ask_at_once():
    """New risk waits for a start."""
    desk = Desk(retry_seconds=2, check_seconds=60)
    desk.compared.begin(0)
    for question in desk.asks():
        desk.answer(question)
    desk.asks()
    desk.positions(5, has_news=True)
    assert desk.compared.next_due_ns() == desk.now_ns
    desk.asks()
    desk.positions(5)
    assert desk.compared.next_due_ns() == desk.now_ns + 60 * SECOND_NS
    desk.wait(60)
    for question in desk.asks():
        desk.answer(question)
    desk.asks()
    desk.positions(5, has_news=True)
    assert desk.compared.next_due_ns() == desk.now_ns + 2 * SECOND_NS


@pytest.mark.parametrize(("watermark_s", "since_s"), [(100, 40), (60, 0), (59, 0), (0, 0)])
def test_fills_are_asked_for_with_a_minute_before_the_watermark(watermark_s, since_s):
    """But not before 1970."""
    desk = Desk()
    desk.compared.watermark_ns = watermark_s * SECOND_NS
    desk.compared.begin(0)
    assert desk.asks()[1] == FillsSince(time_ns=since_s * SECOND_NS)


@pytest.mark.parametrize(("more_ns", "reaches"), [(0, True), (1, False)])
def test_a_venue_reaches_back_to_the_watermark_and_no_further(more_ns, reaches):
    """To the nanosecond; an answer without a time says nothing about it."""
    desk = Desk(fills_kept_ns=DAY_NS)
    desk.venue_ns = desk.compared.watermark_ns + DAY_NS + more_ns
    desk.compared.begin(0)
    for question in desk.asks():
        desk.answer(question)
    assert (desk.compared.step is Step.SETTLING) is reaches
    desk.venue_ns = 0
    desk.answer(FillsSince(time_ns=desk.compared.watermark_ns - OVERLAP_NS))
    assert desk.compared.step is Step.SETTLING


@pytest.mark.parametrize(("kept_ns", "since_ns"), [(None, 0), (2 * DAY_NS, 3 * DAY_NS)])
def test_books_of_a_clock_that_was_ahead_are_compared_with_all_that_the_venue_shows(kept_ns, since_ns):
    """What they ask for is in the venue's future: that nothing is there proves nothing."""
    desk = Desk(fills_kept_ns=kept_ns)
    desk.venue_ns = 5 * DAY_NS
    desk.compared.watermark_ns = 5 * DAY_NS + OVERLAP_NS + 1
    desk.compared.begin(0)
    for question in desk.asks():
        desk.answer(question)
    assert desk.compared.step is Step.ASKING
    desk.wait(1)
    (question,) = desk.asks()
    assert question == FillsSince(time_ns=since_ns)
    desk.answer(question)
    assert desk.compared.step is Step.SETTLING


def test_an_answer_to_another_question_is_none_to_ours():
    """About one order, from a later time on, or the rest of a list; and one that comes when none is asked."""
    desk = Desk()
    desk.compared.begin(0)
    _, fills = desk.asks()
    desk.answer(OpenOrders())
    for question in (
        OneOrder(client_order_id="a", venue_order_id=None, instrument=0),
        FillsSince(time_ns=fills.time_ns + 1),
        FillsSince(time_ns=fills.time_ns, cursor="7"),
    ):
        desk.answer(question)
        assert desk.compared.step is Step.ASKING
    desk.answer(FillsSince(time_ns=fills.time_ns - 1))
    assert desk.compared.step is Step.SETTLING
    assert desk.positions(5) is Outcome.NOTHING
    desk.compared.stop()
    desk.answer(OpenOrders())
    assert (desk.compared.step, desk.compared.next_due_ns()) == (Step.IDLE, None)
    assert desk.asks() == []


def test_the_watermark_is_the_time_of_the_first_whole_answer_and_never_falls():
    """What is told later is not known to be whole."""
    desk = Desk()
    desk.compared.begin(0)
    orders, fills = desk.asks()
    desk.answer(fills)
    first_ns = desk.venue_ns
    desk.venue_ns += SECOND_NS
    desk.answer(fills)
    desk.answer(orders)
    desk.asks()
    assert desk.positions(5) is Outcome.AGREED
    assert desk.compared.watermark_ns == first_ns
    desk.venue_ns = first_ns - 5
    desk.compared.begin(desk.now_ns)
    desk.round()
    assert desk.compared.watermark_ns == first_ns


def test_differences_are_told_by_instrument_and_strangers_last():
    """One that either side alone has, and one that is none of the engine's."""
    seen = [
        PositionSeen(instrument=None, symbol="WEB", lots=9),
        PositionSeen(instrument=2, symbol="C", lots=3),
        PositionSeen(instrument=1, symbol="B", lots=-4),
    ]
    assert position_differences(seen, {0: 5, 1: -4, 3: 0}, {0: "A", 1: "B"}) == [
        Difference(instrument=0, symbol="A", venue_lots=0, book_lots=5),
        Difference(instrument=2, symbol="2", venue_lots=3, book_lots=0),
        Difference(instrument=None, symbol="WEB", venue_lots=9, book_lots=0),
    ]
