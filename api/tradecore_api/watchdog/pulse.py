"""Whether an engine lives, from what is seen of it: no file, no socket and no clock of its own."""

from enum import StrEnum

import msgspec

from tradecore_api.heartbeat import Heartbeat

# A watchdog that was itself held for so long has not seen what happened meanwhile.
HELD_NS = 1_000_000_000


class Standing(StrEnum):
    """What an engine is taken for."""

    NONE = "none"
    """It has never run."""
    ENDED = "ended"
    """It ended cleanly: what it left at the venue is left there on purpose."""
    STARTING = "starting"
    RUNNING = "running"
    DEAD = "dead"
    """Its process is gone, and it did not say that it ended."""
    HUNG = "hung"
    """Its process is there, and has given no sign of life for too long."""

    @property
    def is_gone(self) -> bool:
        """Whether nobody looks after its orders."""
        return self in (Standing.DEAD, Standing.HUNG)


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of an engine at one look.

    Attributes
    ----------
    beat : Heartbeat or None
        Its last heartbeat; `None` where none can be read.
    is_held : bool
        Whether a process holds the account.
    is_writer_alive : bool
        Whether the very process that wrote the heartbeat lives.
    has_answered : bool
        Whether it has answered a question since the look before.
    """

    beat: Heartbeat | None
    is_held: bool
    is_writer_alive: bool
    has_answered: bool = False


class Pulse:
    """Follows the signs of life of one engine.

    A sign is a heartbeat that is new, or an answer. How old a heartbeat says it is counts for nothing, so a
    clock that is set changes nothing. The time in which the watchdog itself was held, or the machine slept,
    is no silence of the engine.

    Parameters
    ----------
    silent_ns : int
        A running engine without a sign for so long hangs.
    start_ns : int
        A start that takes so long hangs.
    """

    def __init__(self, silent_ns: int, start_ns: int) -> None:
        self._silent_ns, self._start_ns = silent_ns, start_ns
        self._has_sign = False
        self._sign_ns: int | None = None
        self._start_seen_ns: int | None = None
        self._looked_ns: int | None = None
        self._beat: Heartbeat | None = None
        # Whose heartbeats were seen to change: it lives, also where its process cannot be seen from here.
        self._known_writer = ""

    @property
    def last_beat(self) -> Heartbeat | None:
        """Return the last heartbeat that was seen, also when its file is gone since."""
        return self._beat

    @property
    def has_sign(self) -> bool:
        """Whether the last look has shown that the engine lives: an answer, or a heartbeat after another."""
        return self._has_sign

    def silence_ns(self, now_ns: int) -> int:
        """Return how long ago the last sign of life was seen; 0 before the first look."""
        return 0 if self._sign_ns is None else now_ns - self._sign_ns

    def feel(self, sight: Sight, now_ns: int) -> Standing:
        """Say what the engine is taken for, from what is seen at `now_ns` of a clock that never jumps."""
        self._forgive_own_silence(now_ns)
        is_new = sight.beat is not None and sight.beat != self._beat
        # The first heartbeat that is seen may be an old one, of an engine that hangs since.
        self._has_sign = sight.has_answered or (is_new and self._beat is not None)
        if sight.has_answered or is_new:
            self._sign_ns = now_ns
            self._know_writer(sight.beat)
        self._beat = beat = sight.beat or self._beat
        if not sight.is_held:
            self._start_seen_ns = None
            if beat is None:
                return Standing.NONE
            return Standing.ENDED if beat.phase == "ended" else Standing.DEAD
        if sight.has_answered:
            self._start_seen_ns = None
            return Standing.RUNNING
        if beat is not None and sight.is_writer_alive and beat.phase == "ended":
            return Standing.ENDED
        is_known = beat is not None and (sight.is_writer_alive or _writer(beat) == self._known_writer)
        if beat is None or not is_known or beat.phase == "starting":
            return self._starting(now_ns)
        self._start_seen_ns = None
        return Standing.HUNG if self.silence_ns(now_ns) > self._silent_ns else Standing.RUNNING

    def _know_writer(self, beat: Heartbeat | None) -> None:
        if beat is not None and self._beat is not None and _writer(beat) == _writer(self._beat):
            self._known_writer = _writer(beat)

    def _starting(self, now_ns: int) -> Standing:
        """Say what a process is taken for that holds the account and has not written that it runs."""
        if self._start_seen_ns is None:
            self._start_seen_ns = now_ns
        return Standing.HUNG if now_ns - self._start_seen_ns > self._start_ns else Standing.STARTING

    def _forgive_own_silence(self, now_ns: int) -> None:
        looked_ns, self._looked_ns = self._looked_ns, now_ns
        if looked_ns is None:
            self._sign_ns = now_ns
            return
        held_ns = now_ns - looked_ns
        if held_ns < HELD_NS:
            return
        if self._sign_ns is not None:
            self._sign_ns += held_ns
        if self._start_seen_ns is not None:
            self._start_seen_ns += held_ns


def _writer(beat: Heartbeat) -> str:
    return f"{beat.pid} {beat.process_start}"
