"""talipp fed one value after the other, one call each."""

import sys

import talipp.indicators
from indicator_data import fed
from measured import main

WORKLOADS = {
    "EMA20 stream": fed(lambda: talipp.indicators.EMA(20), lambda ema: ema.add, lambda ema: ema[-1]),
    "BBANDS20 stream": fed(
        lambda: talipp.indicators.BB(20, 2.0),
        lambda bands: bands.add,
        lambda bands: (bands[-1].ub, bands[-1].cb, bands[-1].lb),
    ),
}

if __name__ == "__main__":
    sys.exit(main("talipp", WORKLOADS))
