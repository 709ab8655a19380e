"""Orders are opened and reports are booked at one station, and one life cycle says what may happen."""

import re

from support.tree import files, name_of

BOOKS = "rust/kernel/src/books.rs"


def places(pattern: str, below: str = "rust/kernel/src") -> list[str]:
    """Return the files that have the pattern outside tests, each as often as it does."""
    return [
        name_of(path)
        for path in files(".rs", below=below)
        if "/tests/" not in name_of(path)
        for _ in re.finditer(pattern, path.read_text(encoding="utf-8"))
    ]


def test_one_function_opens_an_order_and_one_books_a_report():
    """Nobody else changes orders by a word of venues, or the ledger by fills; late ones have their way."""
    assert places(r"\borders\s*\.add\(") == [BOOKS]
    assert places(r"\borders\s*\.apply(_by)?\(") == [BOOKS]
    assert places(r"\bledger\s*\.apply_fill\(") == [BOOKS] * 2
    assert places(r"\borders\s*\.fill_closed\(") == [BOOKS]
    assert places(r"\bscopes\s*\.note_fill\(") == ["rust/kernel/src/books/scoping.rs"]


def test_one_life_cycle_says_what_may_happen_to_an_order():
    """Its table has one reader in the store of orders, and one for those who keep orders elsewhere."""
    assert places(r"\bTRANSITIONS: &\[", "rust") == ["rust/ledger/src/state.rs"]
    assert places(r"(?<!fn )\bnext\(before, change\.event\)", "rust/ledger/src") == [
        "rust/ledger/src/orders.rs"
    ]
    assert places(r"\.state = (?!after\b)", "rust/ledger/src") == []


def test_gates_are_checked_at_one_place():
    """New orders, amendments, arming and growth come through one function, which asks them before risk."""
    gates, judging = "rust/kernel/src/gates.rs", "rust/kernel/src/gates/judging.rs"

    assert places(r"\bgates\s*\.ask\(") == [gates]
    assert places(r"\bself\s*\.pass_gates\(") == [gates]
    assert places(r"\bself\s*\.judge_gated\(") == [judging]
    assert sorted(places(r"\bself\s*\.judge_risk\(")) == [gates, judging]
    assert set(places(r"\bself\s*\.judge\(")) == {
        f"rust/kernel/src/{name}.rs" for name in ("groups/arming", "outgoing/orders")
    }


def test_the_patterns_find_what_they_look_for():
    """A pattern that never matches would prove nothing."""
    assert re.search(r"\borders\s*\.add\(", "self.books.orders.add(&intent)?;")
    assert re.search(r"\bledger\s*\.apply_fill\(", "self\n    .ledger\n    .apply_fill(fill)")
