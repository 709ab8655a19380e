"""What else a seed decides beside its plan: the order of tasks, and what is wrong with feed and clock.

Each of these is drawn from a stream of its own, so what one of them decides changes nothing for the others.
"""

from random import Random

import msgspec

from tradecore.proof.book_line import FeedFault
from tradecore.proof.jump import Jump, jumps_of
from tradecore.testkit.local_venue.settings import LimitSetting

# How long a book may go without a message in a world whose feed is wrong.
BOOK_AGE_NS = 1_500_000_000
_MIXES = 0.5
_FEEDS_WRONG = 0.25
_CLOCKS_WRONG = 0.25
_LIMITS_LOW = 0.2
# How often each fault is at most: one that stops a feed for long is rare.
_HIGHEST = {FeedFault.STALE: 0.02}
_HIGHEST_OF_OTHERS = 0.03


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds the engine in one run.

    Attributes
    ----------
    mixes_tasks : bool
        Whether tasks that are ready together get their turn in any order, and late.
    feed_faults : dict of FeedFault to float
        What is wrong with market data, and how often; empty where nothing is. Otherwise orders are judged by
        the book, and one that has no message for `BOOK_AGE_NS` is INVALID.
    jumps : tuple of Jump
        How the clock of the engine's machine is set.
    limits : LimitSetting or None
        How much the venue lets a key send, where that is little.
    """

    mixes_tasks: bool = False
    feed_faults: dict[FeedFault, float] = {}
    jumps: tuple[Jump, ...] = ()
    limits: LimitSetting | None = None


PLAIN = World()


def world_of(seed: int, events: int) -> World:
    """Return the world of a seed in a run of so many events."""
    return World(
        mixes_tasks=_draw("turns", seed).random() < _MIXES,
        feed_faults=_feed_faults(_draw("feed faults", seed)),
        jumps=jumps_of(_draw("jumps", seed), events, share=_CLOCKS_WRONG),
        limits=_limits(_draw("limits", seed)),
    )


def _limits(draw: Random) -> LimitSetting | None:
    """Return limits that are in the way, in some of the worlds."""
    if draw.random() >= _LIMITS_LOW:
        return None
    per_second = draw.choice((15, 30, 60))
    return LimitSetting(per_second=per_second, burst=per_second * draw.choice((1, 2)))


def _feed_faults(draw: Random) -> dict[FeedFault, float]:
    """Return what is wrong with market data: nothing, one thing, or some."""
    if draw.random() >= _FEEDS_WRONG:
        return {}
    chosen = draw.sample(tuple(FeedFault), draw.choice((1, 1, 2, 4)))
    return {fault: _HIGHEST.get(fault, _HIGHEST_OF_OTHERS) * (0.2 + 0.8 * draw.random()) for fault in chosen}


def _draw(what: str, seed: int) -> Random:
    # S311: chance for a simulation, not for a secret.
    return Random(f"{what}/{seed}")  # noqa: S311
