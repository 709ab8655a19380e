"""Keeps read models of several journals up in a process of its own, beside the engines that write them."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from tradecore.domain.journal import JournalFolder
from tradecore_api.projection import Projection

# How often it is looked whether another journal has come into the place of the one that is followed.
LOOK_SECONDS = 0.5
# How long the end may take for what is still missing.
FINISH_SECONDS_MAX = 30.0


async def follow(tables_of: Iterable[tuple[JournalFolder, str]], ended: asyncio.Event) -> bool:
    """Project each journal into its own tables until `ended` is set, and then to its end once more.

    A journal that is not there yet is waited for. When another one comes into its place, as `--new-journal`
    does it, the tables become those of the new one. What goes wrong with one journal is logged and tried
    again, and holds no other one up.

    Parameters
    ----------
    tables_of : iterable of (JournalFolder, str)
        Journals, and the file of the read model of each.
    ended : asyncio.Event
        Set by the caller; this returns soon after.

    Returns
    -------
    bool
        Whether the tables of all have reached the end.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_follow_one(journal, path, ended)) for journal, path in tables_of]
    return all(task.result() for task in tasks)


async def _follow_one(journal: JournalFolder, path: str, ended: asyncio.Event) -> bool:
    is_whole = True
    while not ended.is_set():
        followed = await _identity(journal)
        if followed is None:
            await _pause(ended)
            continue
        projection = Projection(journal, path)
        projection.start()
        while not ended.is_set() and await _identity(journal) in (followed, None):
            await _pause(ended)
        is_whole = await projection.finish(FINISH_SECONDS_MAX)
    return is_whole


async def _identity(journal: JournalFolder) -> tuple[int, int] | None:
    with suppress(OSError):
        return await asyncio.to_thread(journal.identity)
    return None


async def _pause(ended: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_SECONDS):
            await ended.wait()
