"""Says which strategy and which of its callbacks an exception came from, or which decision gate."""

from collections.abc import Sequence
from pathlib import PurePath
from types import TracebackType

from tradecore.domain import GateError, StrategyError, TradecoreError
from tradecore.domain.quoted import error_text
from tradecore.engine.meant import meant
from tradecore.strategy import StrategyBinding


def blamed(
    error: BaseException, bindings: Sequence[StrategyBinding], callback: str | None, time_ns: int
) -> StrategyError | None:
    """Return the error that names the strategy, or `None` when no strategy is to blame.

    Parameters
    ----------
    error : BaseException
        What came out of a call of the engine, caught where that call was made.
    bindings : sequence of StrategyBinding
        The strategies that may have been called.
    callback : str or None
        What was called, when that is known.
    time_ns : int
        Time of the engine, UTC nanoseconds.
    """
    # A gate that failed is blamed already, whoever asked for the order that it was to judge.
    if isinstance(error, KeyboardInterrupt | GateError):
        return None
    # The native engine has no frames of its own: what follows the caller's frame is the strategy's.
    frames = _frames(error.__traceback__)[1:]
    if not frames and isinstance(error, TradecoreError):
        return None
    frame = frames[0].tb_frame if frames else None
    owner = None if frame is None else frame.f_locals.get("self")
    suspects = [binding for binding in bindings if binding.strategy is owner] or list(bindings)
    name = " or ".join(binding.name for binding in suspects)
    called = callback or ("a callback" if frame is None else frame.f_code.co_name)
    return StrategyError(name, called, time_ns, f"{error_text(error)}{meant(error)}{_place(frames)}")


def blamed_by_place(
    error: BaseException, bindings: Sequence[StrategyBinding], time_ns: int
) -> StrategyError | None:
    """Return the error that names the strategy whose own lines raised, or `None` when none of them did.

    For a `KeyboardInterrupt` where Ctrl-C raises none, because the program handles the signal itself.
    """
    frames = _frames(error.__traceback__)
    for at, found in enumerate(frames):
        owner = found.tb_frame.f_locals.get("self")
        for binding in bindings:
            if binding.strategy is owner:
                called = found.tb_frame.f_code.co_name
                what = f"{error_text(error)}{_place(frames[at:])}"
                return StrategyError(binding.name, called, time_ns, what)
    return None


def gate_failure(error: BaseException, gate: str, strategy: str, time_ns: int) -> GateError:
    """Return the error that names the gate.

    Parameters
    ----------
    error : BaseException
        What the gate raised, caught where it was asked.
    gate : str
        Name of its class.
    strategy : str
        Strategy whose request it was to judge.
    time_ns : int
        Time of the engine, UTC nanoseconds.
    """
    place = _place(_frames(error.__traceback__)[1:])
    return GateError(gate, strategy, time_ns, f"{error_text(error)}{meant(error)}{place}")


def _frames(traceback: TracebackType | None) -> list[TracebackType]:
    found = []
    while traceback is not None:
        found.append(traceback)
        traceback = traceback.tb_next
    return found


def _place(frames: Sequence[TracebackType]) -> str:
    """Return the innermost line that is in the file of the callback itself."""
    if not frames:
        return ""
    file = frames[0].tb_frame.f_code.co_filename
    line = [frame.tb_lineno for frame in frames if frame.tb_frame.f_code.co_filename == file][-1]
    return f" ({PurePath(file).name} line {line})"
