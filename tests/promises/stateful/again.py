"""`python -m promises.stateful.again crowd 7000012`: what happened at one engine, up to its fault."""

import argparse
import sys
import time

from promises.stateful.crowd import Crowd
from promises.stateful.families import Families

WALKS = {"crowd": Crowd, "families": Families}


def main(arguments: list[str] | None = None) -> int:
    """Let one engine live again, and print each event; 1 where it ends with a fault."""
    parser = argparse.ArgumentParser(prog="python -m promises.stateful.again", description=__doc__)
    parser.add_argument("walk", choices=sorted(WALKS))
    parser.add_argument("engine", type=int, help="the number that a failure names")
    options = parser.parse_args(arguments)
    walk = WALKS[options.walk](0, sys.maxsize, time.monotonic() + 600)
    walk.on_event = print
    walk.live(options.engine)
    for fault in walk.all_broken:
        print(f"BROKEN: {fault}")
    return 1 if walk.all_broken else 0


if __name__ == "__main__":
    sys.exit(main())
