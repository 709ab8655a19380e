"""The lines to paste for a file: each kind of data under its key, with what its instruments show."""

import pytest

from tradecore_api.wiring.snippets import use_of

GUESS = {"symbol": None, "tick_size": "0.5", "lot_size": "0.001"}
INSTRUMENT = '\n[[instruments]]\nsymbol = "BTC_USDT"\ntick_size = 0.5\nlot_size = 0.001\n'


def used(kind, form="csv", paths=("in/BTC_USDT-5m.csv",), **found):
    """Return what is said of a file of a kind."""
    return use_of({"kind": kind, "format": form, **found}, paths)


@pytest.mark.parametrize(
    ("notes", "rounding"),
    [
        (None, ""),
        ([], ""),
        (["prices are off the tick: rounding makes whole ticks"], 'rounding = "nearest"\n'),
        (("a gap", "rounding"), 'rounding = "nearest"\n'),
        (["a gap"], ""),
    ],
)
def test_bars_are_rounded_where_a_note_says_so(notes, rounding):
    """Without such a note the setting stays away: it hides prices that are wrong."""
    found = {} if notes is None else {"notes": notes}

    assert used("bars", **found) == f'[data]\npath = "in/BTC_USDT-5m.csv"\nformat = "csv"\n{rounding}'


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("funding", '[data]\nfunding = "f"\n'),
        ("marks", '[data]\nmarks = "f"\n'),
        ("quotes", '[data]\nquotes = "f"\n\n[venue]\nmatching = "quotes"\n'),
        ("latency", '[venue]\nlatency_file = "f"\n'),
        ("records", '[data]\npath = "f"\nformat = "journal"\n'),
        ("read_model", "# tradecore db info f\n"),
        ("orders", ""),
        ("unknown", ""),
    ],
)
def test_each_kind_of_data_has_its_key(kind, lines):
    """What no configuration takes has no lines."""
    assert used(kind, paths=("f",)) == lines


def test_the_instruments_of_a_file_are_named_after_it_where_it_does_not_name_them():
    """With the tick and the lot that it shows; several files are one list."""
    assert used("bars", instruments=[GUESS]).endswith(INSTRUMENT)
    named = used("bars", paths=("a", "b"), instruments=({**GUESS, "symbol": "ETH"},))
    assert named == (
        '[data]\npath = ["a", "b"]\nformat = "csv"\n'
        '\n[[instruments]]\nsymbol = "ETH"\ntick_size = 0.5\nlot_size = 0.001\n'
    )
    orders = used("orders", paths=("o.csv",), instruments=[GUESS])
    assert (
        orders
        == 'from tradecore_files import load_orders\n\norders = load_orders("o.csv", tick_size="0.5")\n'
    )


def test_a_file_with_problems_has_no_lines_unless_it_shows_its_instruments():
    """A journal can be read up to its problem."""
    assert used("bars", problems=["torn"]) == ""
    assert used("bars", problems=["torn"], instruments=[GUESS]).endswith(INSTRUMENT)
    assert used("records", problems=["torn"]).startswith("[data]")


def test_a_capture_is_a_feed_of_its_venue():
    """Binance names the market; another venue is the one of its format."""
    binance = used("messages", "binance_capture", ("f",), market="usdm")
    assert binance == '[feed]\nkind = "binance_capture"\nmarket = "usdm"\npath = "f"\n'
    assert used("messages", "okx_capture", ("f",)) == (
        '[feed]\nkind = "book_capture"\nvenue = "okx"\npath = "f"\n'
    )
