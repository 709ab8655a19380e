"""A feed that hangs holds no end: neither one that never answers nor one that cannot be cancelled."""

import sys

import pytest

from support.held import CALLBACK, SECONDS_MAX, SLACK_SECONDS, Held, seconds_until_ended
from tradecore.domain.journal import JournalFolder
from tradecore_api.exit_codes import ExitCode

if sys.platform == "win32":
    pytest.skip("signals of POSIX", allow_module_level=True)

# Put in the place of the configured feed by the strategy's module, which is loaded before the feed is made.
FEED = """
import asyncio
from tradecore_api.wiring import sessions


async def stubborn():
    say()
    while True:
        try:
            await asyncio.sleep(60)
        except BaseException:
            pass


class Feed:
    def __init__(self, real):
        self.real = real

    async def batches(self, *, skip_events=0):
        {first}
        async for batch in self.real.batches(skip_events=skip_events):
            yield batch

    async def request_snapshot(self, instrument_id):
        {asked}

    async def aclose(self):
        {close}


build_feed = sessions.build_feed
sessions.build_feed = lambda *arguments: (Feed(build_feed(*arguments)[0]), False)
"""
REAL_CLOSE = "await self.real.aclose()"
# With the place where each hangs: its batches, its end, or every wait of the event loop.
FEEDS = {
    "never answers": {"first": "await stubborn()"},
    "holds the event loop": {"first": "say(); time.sleep(60)"},
    "never closes": {"first": "say()", "close": "await stubborn()"},
    "answers and closes never": {"first": "await stubborn()", "close": "await stubborn()"},
}
# The engine itself gets to its end; only the process is held.
CLEAN = set(FEEDS) - {"holds the event loop"}


@pytest.mark.timeout(60)
@pytest.mark.without(
    "feed",
    works="SIGTERM ends the run within five seconds, whether the feed answers and can be cancelled or not",
)
def test_sigterm_ends_a_run_whose_feed_hangs(tmp_path):
    """In five seconds, with a good journal; the exit code says whether the end is in it."""
    engines = {}
    for number, (name, parts) in enumerate(FEEDS.items()):
        top = FEED.format(**{"first": "pass", "asked": "return False", "close": REAL_CLOSE, **parts})
        engines[name] = Held(tmp_path / str(number), CALLBACK.format(top=top, hold="pass"))
    try:
        for engine in engines.values():
            engine.start()
        for engine in engines.values():
            engine.wait_until_held()
        lived = seconds_until_ended({name: engine.process for name, engine in engines.items()})
        codes = {name: engine.process.returncode for name, engine in engines.items()}
    finally:
        for engine in engines.values():
            engine.kill()
    assert {name: s for name, s in lived.items() if s > SECONDS_MAX + SLACK_SECONDS} == {}
    assert codes == {name: ExitCode.OK if name in CLEAN else ExitCode.UNAVAILABLE for name in FEEDS}
    for name, engine in engines.items():
        assert not engine.journal.exists() or JournalFolder(engine.journal).verify().status == "intact", name
