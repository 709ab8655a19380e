"""Looks whether the files that an engine stands on are still those that others find, and keeps a reserve."""

from typing import Self

import msgspec

from tradecore.domain.journal import JournalFolder
from tradecore_api.descriptors import SpareDescriptors
from tradecore_api.instance_lock import InstanceLock
from tradecore_api.state_dir import StateDir
from tradecore_api.watchdog import presence

DESCRIPTORS, DISK = "reserve of descriptors", "reserve of the disk"
# Why an engine pauses where one of these is used up; of all else, a file is gone.
_CAUSES = {DESCRIPTORS: "no_descriptors", DISK: "disk_full"}


def cause_of(alarm: str) -> str:
    """Return why an alarm pauses the engine, as a `SafetyPause` says it."""
    return _CAUSES.get(alarm, "file_gone")


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes
    ----------
    alarms : dict
        What is gone or replaced, with what it means, in words.
    repairs : tuple of str
        What was gone and is there again, in words.
    has_watchdog : bool
        Whether a watchdog gives signs of life.
    """

    alarms: dict[str, str] = {}
    repairs: tuple[str, ...] = ()
    has_watchdog: bool = False


class Guard:
    """Knows the files that an engine was started on; a context for the time of its run.

    A lock file that is gone is made again. A state directory or a journal that is gone is not: whoever moved
    it may move it back, and a new one in its place would be taken for it.

    Parameters
    ----------
    lock : InstanceLock
        Held by this process.
    state : StateDir
        Of its account.
    journal : JournalFolder
        Journal that this process has open.
    """

    def __init__(self, lock: InstanceLock, state: StateDir, journal: JournalFolder) -> None:
        self._spare = SpareDescriptors()
        self._lock = lock
        self._state = state
        self._journal = journal
        self._identity = journal.identity()

    def look(self) -> Sight:
        """Return what is no longer in its place; may take as long as the disk does."""
        alarms: dict[str, str] = {}
        repairs: tuple[str, ...] = ()
        account = self._state.account
        # First, because everything else may have to open a file.
        if not self._spare.keep():
            alarms[DESCRIPTORS] = (
                "this process can open no more files: it goes on with those that were kept for stops, which "
                "do not last; see what opens them (a strategy?), raise the limit (`ulimit -n`), then "
                f"`tradecore resume {account}`, or end it with `tradecore stop`"
            )
        ways = f"put it back, then `tradecore resume {account}`, or end it with `tradecore stop`"
        if not self._lock.is_directory_in_place():
            alarms["state directory"] = (
                f"{self._state.path} was removed or replaced: no heartbeat, no kill switch can be written; "
                f"{ways}"
            )
        elif not self._lock.is_in_place():
            if self._lock.put_back():
                repairs = (
                    f"{self._state.lock} was removed or replaced; it is there again and held all the time",
                )
            else:
                alarms["lock"] = (
                    f"{self._state.lock} was removed or replaced and cannot be made again: see what holds it"
                )
        if not self._has_journal():
            alarms["journal"] = (
                f"{self._journal.where} was removed or replaced: the next start finds nothing of it; {ways}"
            )
        elif not self._journal.keep_reserve():
            alarms[DISK] = (
                f"the disk of {self._journal.where} is full: the journal goes on in the room that was kept "
                f"for this, which does not last; make room, then `tradecore resume {account}`, or end it "
                "with `tradecore stop`"
            )
        watchdog = presence.read(self._state)
        has_watchdog = watchdog is not None and watchdog.is_alive
        return Sight(alarms=alarms, repairs=repairs, has_watchdog=has_watchdog)

    def __enter__(self) -> Self:
        """Keep descriptors for a stop while the run goes on."""
        self._spare.keep()
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of them: the end needs some."""
        self._spare.close()

    def _has_journal(self) -> bool:
        try:
            return self._journal.identity() == self._identity
        except OSError:
            # A disk that does not say may have it.
            return True
