"""What words of the command line may say: each raises `argparse.ArgumentTypeError` in words."""

import argparse

# As far as the simulated exchange's clock goes with room to spare: 31 years.
SECONDS_MAX = 1e9
# More than any order, record, day or millisecond is numbered with, and less than what 64 bits hold.
_COUNT_DIGITS = 18


def positive(text: str) -> float:
    """Read a number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= SECONDS_MAX:
        raise argparse.ArgumentTypeError(f"{text}: must be a number above 0 and at most {SECONDS_MAX:g}")
    return value


def port_number(text: str) -> int:
    """Read a port; 0 lets the system choose."""
    port = count(text)
    if port > 65_535:
        raise argparse.ArgumentTypeError(f"{text}: must be a port from 0 to 65535")
    return port


def count(text: str) -> int:
    """Read a whole number, 0 or more."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text}: must be a whole number, 0 or more")
    if len(text.lstrip("0")) > _COUNT_DIGITS:
        raise argparse.ArgumentTypeError(f"{text[:40]}: must have at most {_COUNT_DIGITS} digits")
    return int(text)
