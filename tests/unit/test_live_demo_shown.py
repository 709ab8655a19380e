"""What a person and a script see of the live demo: tables, plain lines, and both sides beside each other."""

import io
import json
from decimal import Decimal

import pytest
from msgspec.structs import replace
from rich.console import Console

from tradecore.testkit.local_venue.comparison import Comparison
from tradecore_api.live_demo import outcome as outcome_printed
from tradecore_api.live_demo import view
from tradecore_api.live_demo.outcome import print_outcome
from tradecore_api.live_demo.show import Outcome
from tradecore_api.live_demo.view import LiveDemoView

LINE = {
    "is_connected": True,
    "step": "agreed",
    "differences": (),
    "trouble": "",
    "declined": "",
    "open_orders": 2,
    "unknown": 0,
    "foreign_orders": 0,
    "letters": 0,
}
SAID = {
    "events": 1_001,
    "orders": 2_002,
    "fills": 3_003,
    "refusals": 4_004,
    "open_orders": 5,
    "pnl": "-1234.567",
    "fees": "8.9",
    "records": 6_006,
    "is_paused": False,
    "positions": {"BTC-USD": "0.25"},
    "prices": {"BTC-USD": ("50000.5", "50001"), "ETH-USD": (None, "3000")},
    "order_rows": (),
    "venue": LINE,
}
COUNTS = "events 1,001  orders 2,002  fills 3,003  refusals 4,004  open 5  fees 8.90  PnL -1,234.57"


def order(number, price="49999.5"):
    """Return an open order as an engine tells it."""
    return {
        "order_id": number,
        "strategy": "Quoter",
        "symbol": "BTC-USD",
        "side": "buy",
        "price": price,
        "open": "0.01",
        "state": "resting",
    }


class Clock:
    """A clock that is set by hand."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(view.time, "monotonic", lambda: self.now)


class Screen:
    """The view on a terminal that remembers what is drawn, in place of one that wipes it."""

    def __init__(self, monkeypatch):
        self._made = LiveDemoView(is_live=True)
        self.drawn = []
        monkeypatch.setattr(self._made._picture, "draw", self.drawn.append)

    def show(self, said, *, left=10.0, kills=0):
        """Show what an engine said; return the picture line by line, without its frame."""
        self._made.show(said, left=left, kills=kills)
        console = Console(file=io.StringIO(), width=160)
        console.print(self.drawn[-1])
        return [" ".join(line.strip("│╭╮╰╯─ ").split()) for line in console.file.getvalue().splitlines()]

    def say(self, words):
        """Tell what has happened."""
        self._made.say(words)


def test_elsewhere_a_line_comes_every_five_seconds(monkeypatch, capsys):
    """The first one after five seconds, each with the figures of its moment or with what is awaited."""
    clock = Clock(monkeypatch)
    plain = LiveDemoView(is_live=False)
    for passed, said in ((4.9, SAID), (5.0, SAID), (9.9, SAID), (10.0, None), (14.9, SAID)):
        clock.now = 100.0 + passed
        plain.show(said, left=1.0, kills=0)

    captured = capsys.readouterr()
    assert captured.out == ""
    first, second = captured.err.splitlines()
    assert first == f"  5.0 s  {COUNTS}  venue: connected; books and venue agree; 2 orders are open there"
    assert second == " 10.0 s  the engine is starting: it reads its journal and asks the venue"


def test_news_come_at_once_where_nothing_is_drawn(monkeypatch, capsys):
    """With the seconds since the demo began."""
    clock = Clock(monkeypatch)
    plain = LiveDemoView(is_live=False)
    clock.now = 112.34
    plain.say("engine 7 was killed")
    assert capsys.readouterr().err == " 12.3 s  engine 7 was killed\n"


def test_the_picture_has_prices_orders_figures_and_the_line_to_the_venue(monkeypatch):
    """A side without a price and an order without one are a dash; a symbol without a position is flat."""
    screen = Screen(monkeypatch)
    drawn = screen.show(SAID | {"order_rows": (order(7), order(8, price=None))})

    assert drawn[0] == "tradecore, live on the local venue (trading)"
    assert "BTC-USD 50,000.50 50,001.00 0.25" in drawn
    assert "ETH-USD - 3,000.00 0" in drawn
    assert "7 Quoter BTC-USD buy 49,999.50 0.01 resting" in drawn
    assert "8 Quoter BTC-USD buy - 0.01 resting" in drawn
    assert " ".join(COUNTS.split()) in drawn
    assert "venue: connected; books and venue agree; 2 orders are open there" in drawn


def test_what_an_engine_said_last_stays_there_while_the_next_one_starts(monkeypatch):
    """Nothing is there before the first answer."""
    screen = Screen(monkeypatch)
    starting = "the engine is starting: it reads its journal and asks the venue"
    first = screen.show(None)
    assert starting in first
    assert "(starting)" in first[0]
    assert not any("events" in line for line in first)
    assert starting not in screen.show(SAID)
    later = screen.show(None)
    assert starting in later
    assert "(starting)" in later[0]
    assert " ".join(COUNTS.split()) in later


@pytest.mark.parametrize(
    ("kills", "words"),
    [(0, "(trading)"), (1, "(trading, killed once)"), (2, "(trading, killed 2 times)")],
)
def test_the_title_counts_the_kills(monkeypatch, kills, words):
    """The first one is no plural."""
    assert words in Screen(monkeypatch).show(SAID, kills=kills)[0]


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (12.4, "12 s left, Ctrl-C ends it"),
        (0.6, "1 s left, Ctrl-C ends it"),
        (0.0, "ending, Ctrl-C hurries it"),
    ],
)
def test_the_picture_says_how_long_it_goes_on(monkeypatch, left, words):
    """And what Ctrl-C does, which is another thing once it is ending."""
    assert words in Screen(monkeypatch).show(SAID, left=left)[-1]


def test_a_pause_is_told(monkeypatch):
    """In the title, where the state stands."""
    assert "(paused)" in Screen(monkeypatch).show(SAID | {"is_paused": True})[0]


def test_the_last_four_news_and_eight_orders_are_shown(monkeypatch):
    """The picture has the same height, however much happens."""
    screen = Screen(monkeypatch)
    for number in range(6):
        screen.say(f"news {number}")
    drawn = screen.show(SAID | {"order_rows": tuple(order(number) for number in range(100, 110))})

    assert [line[-6:] for line in drawn if "news" in line] == ["news 2", "news 3", "news 4", "news 5"]
    assert [line[:3] for line in drawn if "resting" in line] == [str(number) for number in range(100, 108)]


@pytest.mark.parametrize(("pnl", "colour"), [("-0.01", "red"), ("0", "green"), ("0.01", "green")])
def test_a_loss_is_red(monkeypatch, pnl, colour):
    """No loss is green."""
    screen = Screen(monkeypatch)
    screen.show(SAID | {"pnl": pnl})
    (figures,) = (part for part in screen.drawn[-1].renderable.renderables if "events" in str(part))
    assert figures.style == colour


# What the demo came to.

SAME = Comparison(
    orders_there=1_001,
    orders_booked=1_002,
    fills_there=2_001,
    fills_booked=2_002,
    positions_there={"BTC-USD": Decimal("0.5")},
    positions_booked={"ETH-USD": Decimal(-3)},
    cash_there=Decimal("100000.25"),
    cash_booked=Decimal(100_000),
)
ENGINE = {
    "events": 1,
    "orders": 2,
    "fills": 3,
    "refusals": 4,
    "pnl": "5",
    "journal_verified": True,
    "instruments": ["not shown to people"],
}


def outcome(comparison=SAME, **changes):
    """Return what a demo came to."""
    return Outcome(
        **{
            "seconds": 12.5,
            "kills": 2,
            "faults": {"submit request_lost": 3, "cancel html_page": 4},
            "comparison": comparison,
            "engine": ENGINE,
            "is_interrupted": False,
            **changes,
        }
    )


def printed(capsys, *, journal=None, **fields):
    """Return the lines for people, blanks between the columns cut to one."""
    print_outcome(outcome(**fields), journal=journal, is_json=False)
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_people_see_figures_faults_and_both_sides(capsys):
    """A symbol that one side alone has is 0 on the other; they stand in the order of their names."""
    lines = printed(capsys, journal="kept.journal")

    assert lines[:11] == [
        "events 1",
        "orders 2",
        "fills 3",
        "refusals 4",
        "pnl 5",
        "journal_verified yes",
        "journal kept.journal",
        "kills 2",
        "faults 7",
        "submit request_lost: 3",
        "cancel html_page: 4",
    ]
    assert lines[11:] == [
        "",
        "at the venue in the books",
        "orders 1,001 1,002",
        "fills 2,001 2,002",
        "position BTC-USD 0.5 0",
        "position ETH-USD 0 -3",
        "cash 100,000.25 100,000",
        "They are the same, to the last unit.",
    ]


@pytest.mark.parametrize(
    ("there", "booked", "is_flat"),
    [({}, {}, True), ({"A": Decimal(1)}, {}, False), ({}, {"A": Decimal(1)}, False)],
)
def test_both_sides_are_flat_when_neither_has_a_position(capsys, there, booked, is_flat):
    """One that holds something is not called flat."""
    lines = printed(capsys, comparison=replace(SAME, positions_there=there, positions_booked=booked))
    assert ("positions flat flat" in lines) == is_flat


def test_a_demo_in_which_nothing_traded_does_not_say_that_all_is_well(capsys):
    """As on a machine that is busy: two sides without a trade are always the same."""
    advice = "But nothing traded, so that proves little: give it more time with --seconds."
    assert printed(capsys, comparison=replace(SAME, fills_there=0, fills_booked=0))[-1] == advice
    assert advice not in printed(capsys)
    differs = replace(SAME, fills_there=0, fills_booked=1, differences=("one",))
    assert advice not in printed(capsys, comparison=differs)


@pytest.mark.parametrize("more", [-1, 0, 1, 2])
def test_so_many_differences_are_printed_and_the_others_counted(capsys, monkeypatch, more):
    """The count comes only where there are others."""
    shown_max = outcome_printed._DIFFERENCES_SHOWN
    words = tuple(f"difference {number}" for number in range(shown_max + more))
    lines = [
        line for line in printed(capsys, comparison=replace(SAME, differences=words)) if "DIFFERS" in line
    ]

    expected = [f"DIFFERS: {each}" for each in words[:shown_max]]
    assert lines == (expected if more <= 0 else [*expected, f"DIFFERS: {more} more"])


def test_a_difference_is_not_called_the_same(capsys):
    """The last line is the verdict."""
    assert printed(capsys, comparison=replace(SAME, differences=("cash",)))[-1] == "They differ."


def test_nothing_is_compared_while_orders_are_open(capsys):
    """That is said in place of a table."""
    lines = printed(capsys, comparison=None)
    assert lines[-1].startswith("Not compared: orders were still open or in doubt")
    assert not any("in the books" in line for line in lines)


@pytest.mark.parametrize(
    ("comparison", "is_same"),
    [(SAME, True), (None, None), ("differs", False)],
    ids=["same", "none", "differs"],
)
def test_scripts_get_every_figure_and_the_verdict(capsys, comparison, is_same):
    """Decimals are text, and what was not compared is null."""
    if comparison == "differs":
        comparison = replace(SAME, differences=("cash",))
    print_outcome(outcome(comparison=comparison), journal=None, is_json=True)
    said = json.loads(capsys.readouterr().out)

    assert (said["is_same"], said["journal"], said["kills"], said["seconds"]) == (is_same, None, 2, 12.5)
    assert said["engine"]["journal_verified"] is True
    assert said["faults"] == {"submit request_lost": 3, "cancel html_page": 4}
    assert said["is_interrupted"] is False
    if comparison is not None:
        assert said["comparison"]["cash_there"] == "100000.25"
        assert said["comparison"]["positions_booked"] == {"ETH-USD": "-3"}


@pytest.mark.parametrize("is_interrupted", [False, True])
@pytest.mark.parametrize("comparison", [SAME, None, "differs"], ids=["same", "none", "differs"])
@pytest.mark.parametrize("verified", [True, False, None])
def test_a_demo_is_good_when_nothing_differs_and_the_journal_is_whole(is_interrupted, comparison, verified):
    """Ctrl-C excuses what could not be compared or summed up, and no difference or damage."""
    compared = replace(SAME, differences=("cash",)) if comparison == "differs" else comparison
    engine = {} if verified is None else {"journal_verified": verified}
    is_good = outcome(compared, engine=engine, is_interrupted=is_interrupted).is_good

    is_same = comparison is SAME or (comparison is None and is_interrupted)
    assert is_good == (is_same and (verified is True or (verified is None and is_interrupted)))
