"""Tasks beside a run that nobody waits for: one that fails is said, and the engine pauses."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine

from tradecore.domain.commands import SafetyPause
from tradecore.domain.quoted import error_text
from tradecore_api.bounded import unheard

log = logging.getLogger("tradecore.engine")
_pauses: set[asyncio.Task[None]] = set()


def helper(
    work: Coroutine[object, object, None], name: str, answer: Callable[[SafetyPause], Awaitable[object]]
) -> asyncio.Task[None]:
    """Return a task that does this work beside a run; cancelled it ends without a word.

    One that fails has a fault of ours. Nobody would hear of it before the run ends: feed and clock would be
    looked after no more, or no file be read. So it is said, and no new risk is taken until a person resumes.
    """

    def look(task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        words = (
            f"{name} ended by a fault and is missing from now on: {error_text(error)}. Paused: start again"
        )
        log.error("helper_failed", extra={"words": words})
        pause = asyncio.get_running_loop().create_task(unheard(_asked(answer)), name="pause")
        _pauses.add(pause)
        pause.add_done_callback(_pauses.discard)

    made = asyncio.create_task(work, name=name)
    made.add_done_callback(look)
    return made


async def _asked(answer: Callable[[SafetyPause], Awaitable[object]]) -> None:
    await answer(SafetyPause(cause="helper_failed", seen=0, bound=0))
