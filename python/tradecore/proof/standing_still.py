"""A virtual loop on which one process of several can stand still, as SIGSTOP lets it."""

from asyncio import Handle, TimerHandle
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from typing import TypeVarTuple

from tradecore.proof.virtual_loop import VirtualLoop

_Ts = TypeVarTuple("_Ts")
_process: ContextVar[int] = ContextVar("process", default=0)


def process_context(number: int) -> Context:
    """Return the context of a process: all that is begun in it belongs to it."""
    context = copy_context()
    context.run(_process.set, number)
    return context


class StandingLoop(VirtualLoop):
    """A virtual loop that holds back the calls of a process while that stands still.

    What is due meanwhile is called once it goes on, in the order in which it was due. What came in from
    outside waits for it as in the buffers of sockets.
    """

    # A process that stands still, and the calls that wait for it.
    _still = 0
    _held: list["_Call"]

    def stop_process(self, number: int) -> None:
        """Let a process stand still from now on."""
        self._still, self._held = number, []

    def let_go_on(self) -> None:
        """Let the process that stands still go on."""
        if self._still:
            self._still, held = 0, self._held
            for call in held:
                super().call_soon(_run, call.owner, call, context=call.context)

    def call_soon(
        self,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> Handle:
        """Call soon; of a process that stands still, once it goes on."""
        context = copy_context() if context is None else context
        number = context.get(_process, 0)
        if not number:
            return super().call_soon(callback, *args, context=context)
        call = _Call(self, lambda: callback(*args), _owner(callback, args), number, context)
        call.handle = super().call_soon(_run, call.owner, call, context=context)
        return call.handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> TimerHandle:
        """Call at a time; of a process that stands still then, once it goes on."""
        context = copy_context() if context is None else context
        number = context.get(_process, 0)
        if not number:
            return super().call_at(when, callback, *args, context=context)
        call = _Call(self, lambda: callback(*args), _owner(callback, args), number, context)
        call.handle = timer = super().call_at(when, _run, call.owner, call, context=context)
        return timer

    def holds(self, call: "_Call") -> bool:
        """Hold a call back that belongs to the process that stands still; `False` for any other."""
        if call.number != self._still:
            return False
        self._held.append(call)
        return True


class _Call:
    """A call of a process that may stand still."""

    def __init__(
        self,
        loop: StandingLoop,
        callback: Callable[[], object],
        owner: object,
        number: int,
        context: Context,
    ) -> None:
        self._loop = loop
        self.owner = owner
        self._callback = callback
        self.number = number
        self.context = context
        self.handle: Handle | None = None

    def run(self) -> None:
        """Call, unless it is held back or was called off meanwhile."""
        if self.handle is not None and self.handle.cancelled():
            return
        if not self._loop.holds(self):
            self._callback()


def _run(_: object, call: _Call) -> None:
    """Call what belongs to somebody; whose it is stands first, for whoever orders calls by that."""
    call.run()


def _owner(callback: Callable[..., object], args: tuple[object, ...]) -> object:
    """Return whose call it is: that of a task, of a queue, or of the future that is done."""
    owner = getattr(callback, "__self__", None)
    if owner is not None:
        return owner
    return args[0] if args else callback
