"""Pages of answers: where one ends, whether there are more, and what is asked beside the cursor."""

import errno

import pytest

from support import records
from tradecore.domain.questions import Commands, Refusals
from tradecore.domain.record import JournalPosition
from tradecore_sqlite import SqliteReadModel, schema
from tradecore_sqlite.read_model import _storage_error

# More than the small numbers of which Python has one object each.
COUNT = 300


@pytest.fixture
async def model(tmp_path):
    """A read model of many commands."""
    path = tmp_path / "tables"
    group = [records.record("command", seq, 1_000 + seq, command="pause") for seq in range(1, COUNT + 1)]
    model = await SqliteReadModel.open(str(path))
    before = await model.position()
    assert await model.apply(group, before, JournalPosition(COUNT + 1, "head"))
    await model.aclose()
    return str(path)


async def page_of(path, question):
    """Return a page of an answer."""
    model = await SqliteReadModel.open(path)
    try:
        return await model.ask(question)
    finally:
        await model.aclose()


@pytest.mark.parametrize(
    ("after", "limit", "count", "has_more"),
    [
        (0, COUNT, COUNT, False),
        (0, COUNT - 1, COUNT - 1, True),
        (0, COUNT + 1, COUNT, False),
        (0, 1, 1, True),
        (COUNT - 1, 1, 1, False),
        (COUNT, 1, 0, False),
        (10, COUNT - 10, COUNT - 10, False),
    ],
)
async def test_a_page_ends_where_its_limit_is_and_tells_whether_there_are_more(
    model, after, limit, count, has_more
):
    """The cursor is that of its last row, or stays where it was."""
    page = await page_of(model, Commands(after=after, limit=limit))

    assert (len(page.rows), page.has_more) == (count, has_more)
    assert page.cursor == after + count


async def test_a_table_without_a_row_has_an_empty_page(model):
    """Whatever is asked beside it."""
    page = await page_of(model, Refusals(strategy="one", symbol="X"))

    assert (page.rows, page.has_more) == ((), False)


def test_the_mark_of_a_file_is_four_letters():
    """Other programs tell our files by it."""
    assert schema.APPLICATION_ID.to_bytes(4, "big") == b"trdc"


@pytest.mark.parametrize(
    ("error", "is_denied"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), True),
        (OSError(errno.EROFS, "Read-only file system"), True),
        (OSError(errno.ENOSPC, "No space left on device"), False),
    ],
    ids=repr,
)
def test_rights_are_asked_for_where_they_are_missing(error, is_denied):
    """A full disk needs none; another file is always a way."""
    said = str(_storage_error("a", error, "other"))

    assert f"cannot be opened: {error.strerror}; " in said
    assert ("let this user write to it" in said) == is_denied
    assert said.endswith("name another file")
