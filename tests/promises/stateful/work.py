"""Shares a number of steps among the searches, and says what came of them."""

import time

from promises.part import Asked, Gathered, Row
from promises.stateful.crowd import STRATEGIES, Crowd
from promises.stateful.desk import Desk
from promises.stateful.families import Families
from promises.stateful.lives import DEPTH, Search
from promises.stateful.races import Races

SIZE = 1_000_000
# What the two searches need at most that leave nothing out, and what families get; the rest is the crowd's.
_OF_LIVES, _OF_RACES, _OF_FAMILIES = 200_000, 300_000, 60_000
# When each search ends at the latest, as a share of the time: on a slow machine each promise is tried, too.
_ENDS = (0.3, 0.45, 0.65, 0.75, 1.0)
# Lives of so many events are all followed, each for itself: for a change, and for a night.
_APART, _APART_NIGHTLY, _NIGHTLY_FROM = 4, 5, 5 * SIZE


def work(asked: Asked) -> Gathered:
    """Search, and return a row for each promise.

    Parameters
    ----------
    asked : Asked
        `size` is the number of steps: events that are fed and looked at.
    """
    begun = time.monotonic()
    ends_at = [begun + share * asked.seconds_max for share in _ENDS]
    share = min(1.0, asked.size / SIZE)
    lives = Search(Desk(), max(int(_OF_LIVES * share), 500), ends_at[0])
    lives.run()
    is_nightly = asked.size >= _NIGHTLY_FROM
    depth = _APART_NIGHTLY if is_nightly else _APART
    apart = Search(Desk(), asked.size // (2 if is_nightly else 4), ends_at[1], depth_max=depth, merges=False)
    apart.run()
    races = Races(Desk(), max(round(1 / share), 1), ends_at[2])
    races.run()
    families = Families(asked.seed, _OF_FAMILIES * asked.size // SIZE, ends_at[3])
    families.run()
    crowd = Crowd(
        asked.seed, asked.size - sum(each.steps for each in (lives, apart, races, families)), ends_at[4]
    )
    crowd.run()
    return gathered(asked, (lives, apart), races, families, crowd)


def gathered(
    asked: Asked, searches: tuple[Search, Search], races: Races, families: Families, crowd: Crowd
) -> Gathered:
    """Say what came of the searches, promise by promise."""
    lives, apart = searches
    steps = lives.steps + apart.steps + races.steps + crowd.steps
    of_books = (*lives.broken, *apart.broken, *races.broken, *crowd.broken)
    is_whole = lives.depth == DEPTH and apart.depth == apart.depth_max and races.is_whole
    rows = (
        _row(
            "P17",
            f"events in {lives.states:,} different lives of an order, all of up to {lives.depth} events",
            lives.steps,
            lives.broken,
        ),
        _row(
            "P17",
            f"events in lives of up to {apart.depth} events, every one of them for itself",
            apart.steps,
            apart.broken,
        ),
        _row("P17", "events at random in many orders at once", crowd.steps, crowd.broken),
        _row(
            "P18",
            f"orders in which the seven reports of {races.stories} stories come",
            races.orders,
            races.broken,
        ),
        _row("P18", "trades told anew at random", crowd.revised, crowd.broken),
        _row("P27", "events after which positions are the sums of trades", steps, of_books),
        _row("P28", "events after which cash is right to one atto unit", steps, of_books),
        _row(
            "P31",
            f"wishes of {STRATEGIES} strategies for what limits leave, each answer known before, "
            f"{crowd.refused:,} a no",
            crowd.asked,
            crowd.races_broken,
        ),
        _row(
            "P35",
            f"events of {families.entries:,} entries with {families.exits:,} exits, added up after each",
            families.steps,
            families.broken,
        ),
    )
    total = steps + families.steps
    bounds = []
    if not is_whole:
        bounds.append(f"lives of up to {lives.depth} of {DEPTH} events, {races.stories} stories in part")
    if total < asked.size and not (of_books or crowd.races_broken or families.broken):
        bounds.append(f"{total:,} of {asked.size:,} steps: there were {asked.seconds_max:.0f} seconds")
    failures = (*of_books, *crowd.races_broken, *families.broken)
    return Gathered(rows=rows, failures=failures, bounded_by="; ".join(bounds))


def _row(promise: str, what: str, tried: int, broken: list[str]) -> Row:
    worst = broken[0] if broken else ""
    return Row(promise=promise, what=what, tried=tried, found=len(broken), worst=worst)
