"""What an engine keeps of itself in a snapshot, and what its strategies keep of themselves."""

from collections.abc import Sequence

import msgspec
from msgspec import msgpack

from tradecore.domain.errors import DataError, InvalidValueError
from tradecore.domain.unreadable import UNREADABLE
from tradecore.strategy import StrategyBinding

SAVE, LOAD = "save_state", "load_state"


class KeptState(msgspec.Struct, frozen=True, kw_only=True):
    """The whole state of an engine with its strategies at one moment.

    Attributes
    ----------
    body : bytes
        The state of the engine.
    states : tuple of bytes
        What each strategy keeps, as MessagePack.
    state_hash : str
        Hash of the engine's state, hexadecimal.
    time_ns : int
        Time of the engine, UTC nanoseconds.
    """

    body: bytes
    states: tuple[bytes, ...]
    state_hash: str
    time_ns: int


def without_pair(bindings: Sequence[StrategyBinding]) -> list[str]:
    """Return the names of the strategies without `save_state` or `load_state`."""
    return [
        binding.name
        for binding in bindings
        if any(getattr(binding.strategy, name, None) is None for name in (SAVE, LOAD))
    ]


def state_versions(binding: StrategyBinding) -> tuple[int, ...]:
    """Return what a strategy says of the form of its state: its own version, then those that it reads too."""
    found = getattr(binding.strategy, "state_versions", ())
    if isinstance(found, int):
        return (found,)
    return tuple(version for version in found if isinstance(version, int))


def encoded_state(name: str, state: object) -> bytes:
    """Return what a strategy keeps as bytes.

    Raises
    ------
    InvalidValueError
        When it is more than plain values: numbers, text, bytes, lists, mappings, sets, times, decimals.
    """
    try:
        return msgpack.encode(state)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        rule = f"must return plain values (numbers, text, lists, mappings): {error}"
        raise InvalidValueError(f"{name}.{SAVE}", type(state).__name__, rule) from error


def decoded_state(name: str, state: bytes) -> object:
    """Return what a strategy kept: what comes as a tuple or set goes back as a list, a decimal as text.

    Raises
    ------
    DataError
        When the bytes cannot be read.
    """
    try:
        return msgpack.decode(state)
    except UNREADABLE as error:
        raise DataError(name, f"its state cannot be read: {error}") from error
