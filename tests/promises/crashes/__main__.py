"""Kills engines at points of their code and in their recovery, and tells what the audit finds."""

import signal
import sys

from promises.crashes.many import many
from promises.part import main

if __name__ == "__main__":
    # Who is told to end still clears away what it has in memory.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main("crashes", 1_000, many))
