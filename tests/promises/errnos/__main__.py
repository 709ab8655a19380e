"""Lets calls on journals fail with EIO, ENOSPC and EDQUOT, and tells what was wrong after it."""

import sys
from collections import Counter

from promises.errnos.beside import serve_beside
from promises.part import Asked, Gathered, Row, main


def errnos(asked: Asked) -> Gathered:
    """Let so many calls fail, in several processes side by side."""
    served = serve_beside("fail", asked.size, asked)
    calls: Counter[str] = Counter()
    for each in served:
        calls.update(each.tried)
    broken = [tried for each in served for tried in each.broken]
    stopped, engines = sum(each.stopped for each in served), sum(each.engines for each in served)
    words = ", ".join(f"{count} {call}" for call, count in calls.most_common())
    what = (
        f"calls on a journal that failed ({words}; {engines} of them of a live engine; {stopped} ended it): "
        "no acknowledgement after, no sync again, all that was acknowledged is there"
    )
    found = sum(len(tried.findings) for tried in broken)
    worst = max(broken, key=lambda tried: len(tried.findings)).name if broken else ""
    return Gathered(
        rows=(Row(promise="P4", what=what, tried=calls.total(), found=found, worst=worst),),
        failures=tuple(f"{tried.name}: {words}" for tried in broken for words in tried.findings),
        bounded_by=f"{asked.seconds_max:g} seconds" if calls.total() < asked.size else "",
    )


if __name__ == "__main__":
    sys.exit(main("errnos", 500, errnos))
