"""Only the room of the simulated venue knows which kinds there are; everybody else goes by what one does."""

import re

from support.tree import files, name_of

# Where a word becomes a kind: the border to Python, and what makes kernels at random.
NAMES_KINDS = {"rust/pyext/src/config.rs", "rust/fuzzing/src/matching.rs"}
ASKS = [
    r"[!=]= *(\w+::)*Matching::\w+",
    r"\bmatches!\([^;]*Matching::\w+",
    r"Matching::\w+\s*(=>|\||if\b)",
    r"let (\w+::)*Matching::\w+",
]


def outside() -> list:
    """List the Rust files of other rooms, tests and benches left out."""
    rooms = [path for path in files(".rs", below="rust") if not name_of(path).startswith("rust/venue/")]
    return [path for path in rooms if not re.search(r"/(tests|benches)/|tests\.rs$", name_of(path))]


def test_nobody_outside_asks_for_the_kind_of_a_simulated_venue():
    """`VenueTraits` answers what others need; a new kind of venue is one more file of them."""
    found = [
        (name_of(path), asked.group())
        for path in outside()
        for pattern in ASKS
        for asked in re.finditer(pattern, path.read_text(encoding="utf-8"))
    ]

    assert found == []


def test_kinds_are_named_where_words_become_kinds_and_nowhere_else():
    """Whoever names a kind elsewhere has begun to depend on it."""
    naming = {name_of(path) for path in outside() if re.search(r"\bMatching::", path.read_text("utf-8"))}

    assert naming == NAMES_KINDS


def test_the_matchers_are_known_to_the_venue_alone():
    """But for the one that is handed the account, whose type the kernel has to name."""
    rooms = [path for path in outside() if not name_of(path).startswith("rust/matching/")]
    known = {
        (name_of(path), found)
        for path in rooms
        for found in re.findall(r"\b(\w+Matcher)\b", re.sub(r"//.*", "", path.read_text("utf-8")))
    }

    assert known == {("rust/kernel/src/markets/bars.rs", "BarMatcher")}


def test_the_patterns_find_what_they_look_for():
    """A pattern that never matches would prove nothing."""
    for code in (
        "if self.matching == Matching::Bars {",
        "matches!(venue.matching, Matching::Bars)",
        "Matching::Bars | Matching::Quotes => 1,",
        "Matching::Bars if known => 1,",
        "if let Matching::Book = kind {",
    ):
        assert any(re.search(pattern, code) for pattern in ASKS), code
