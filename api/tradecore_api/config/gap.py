"""What a start does about a gap in what was before it."""

from enum import StrEnum


class Gap(StrEnum):
    """What a gap between the past and the live feed is: the end of the start, or something to be told."""

    REFUSE = "refuse"
    TELL = "tell"
