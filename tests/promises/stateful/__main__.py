"""`python -m promises.stateful`: orders, positions and limits, event by event."""

import sys

from promises.part import main
from promises.stateful.work import SIZE, work

if __name__ == "__main__":
    sys.exit(main("stateful", SIZE, work))
