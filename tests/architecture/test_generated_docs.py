"""What the documents show of the program, and what the program says twice, is made from the program."""

import pytest

from support.scripts import script


@pytest.fixture(scope="module")
def generator():
    """Give the tool that writes documents."""
    return script("tools/generate_docs.py")


def test_the_python_faces_of_indicators_are_current():
    """Stubs, names and the methods of a context are what the table of indicators makes of them."""
    stale = [path.name for path in script("tools/generate_indicators.py").out_of_date()]

    assert stale == [], "run `make generate`"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_generated_parts_of_the_documents_are_current(generator):
    """The life cycle on the page is the ledger's table, and the exit codes are the program's."""
    stale = [path.name for path in generator.out_of_date()]

    assert stale == [], "run `make generate`"


def test_a_changed_part_is_seen_and_nothing_else_is_touched(generator):
    """Only what stands between the marks is exchanged."""
    text = "before\n<!-- begin generated: x -->\nold\n<!-- end generated: x -->\nafter\n"

    assert generator.replaced(text, "x", "new") == text.replace("old", "new")
    assert generator.replaced(text, "x", "old") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!-- begin generated: x -->\nold",
        "<!-- end generated: x -->\n<!-- begin generated: x -->\n",
        "<!-- begin generated: y -->\nold\n<!-- end generated: y -->",
        "<!-- begin generated: x -->\na\n<!-- end generated: x -->" * 2,
    ],
)
def test_a_document_without_the_marks_is_refused(generator, text):
    """A lost mark is an error, not a part that is silently never written again."""
    with pytest.raises(ValueError, match="no part 'x'"):
        generator.replaced(text, "x", "new")


def test_every_missed_goal_says_what_bounds_it_and_no_other_does(generator):
    """A goal that is met has no excuse, and one that is missed has a reason; texts name cases that exist."""
    texts, missed = generator.bounds(), generator.missed()
    measured = {row.name for row in generator._peer_bench().measured}

    assert sorted(missed - texts.keys()) == [], "say in benches/peers/bounds.toml what bounds them"
    assert sorted(texts.keys() & (measured - missed)) == [], "met: take the text out of bounds.toml"
