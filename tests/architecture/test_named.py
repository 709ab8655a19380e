"""Codes, names and lists of all kinds come out of one table, which a macro of `named.rs` reads."""

import re

from support.tree import files, name_of

# A list that is the size of a lookup table: the compiler refuses the table when one is missing.
LISTED_BY_HAND = {("rust/ledger/src/state.rs", "OrderEvent")}
LIST = re.compile(r"impl (\w+) \{(?:(?!\n\}).)*?\bconst ALL: \[Self; \d+\]", re.DOTALL)


def test_no_list_of_all_kinds_is_kept_by_hand():
    """A list kept by hand forgets the next kind, which then reads back as unknown."""
    found = {
        (name_of(path), enum)
        for path in files(".rs", below="rust")
        for enum in LIST.findall(path.read_text(encoding="utf-8"))
    }

    assert found == LISTED_BY_HAND
