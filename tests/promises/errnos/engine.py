"""A live engine one of whose calls on its journal fails, in a simulation of its own."""

import tempfile
from pathlib import Path
from random import Random

from promises.crashes.run import SHARED_MEMORY, CrashRun
from promises.errnos.shim import ERRORS, Shim, calls_in
from promises.errnos.writer import Tried
from tradecore.domain.errors import StorageError
from tradecore.proof.host import Host
from tradecore.proof.plan import Plan, plan_of
from tradecore_api.wiring.simulation import local_place

_EVENTS = 800
# About as many calls as the first engine makes on its journal.
_CALLS = 300


class ErrnoRun(CrashRun):
    """A run whose first engine meets a call on its journal that fails; the next one goes on.

    Parameters
    ----------
    plan, folder
        As of `CrashRun`.
    shim : Shim
        Lets calls fail.
    draw : Random
        Decides which call fails, and how.

    Attributes
    ----------
    has_ended : bool
        Whether the engine ended by it.
    """

    seconds_max = 300.0

    def __init__(self, plan: Plan, folder: Path, shim: Shim, draw: Random) -> None:
        super().__init__(plan, local_place, folder, (), 0)
        self.has_ended = False
        self.notes = folder / "notes"
        self._draw = draw
        self._shim = shim
        self._has_failed = False

    async def _dies(self, number: int) -> bool:
        if not number:
            draw, at = self._draw, int(_CALLS ** self._draw.random())
            self._shim.arm(self._path, at, draw.choice(ERRORS), half=draw.random() < 0.5, notes=self.notes)
        return await super()._dies(number)

    def _is_broken(self, host: Host | None, error: BaseException) -> bool:
        if self.has_ended or not _is_of_storage(error):
            return False
        self.has_ended = self._is_dying = True
        self._shim.disarm()
        self._mark(f"the engine ended: {error}")
        if host is not None:
            host._die(0)
        return True

    def _note(self, host: Host) -> None:
        super()._note(host)
        host.journal.append = self._told(host.journal.append)
        host.journal.commit = self._told(host.journal.commit)

    def _told(self, step):
        """Return a step of a journal that is looked at: none succeeds after one has failed."""

        def told(value: object, /) -> None:
            try:
                step(value)
            except StorageError:
                self._has_failed = True
                raise
            if self._has_failed and not self.has_ended:
                self._find("P4", "the journal acknowledged something after its first error")

        return told


def tried(shim: Shim, seed: int) -> Tried:
    """Run a seed of which one call on the journal fails, in this process."""
    with tempfile.TemporaryDirectory(prefix="tradecore-errnos-", dir=SHARED_MEMORY) as folder:
        run = ErrnoRun(plan_of(seed, _EVENTS), Path(folder), shim, Random(f"errno/{seed}"))
        outcome = run.run()
        shim.disarm()
        failed = next((call for call in calls_in(run.notes) if call.fails), None)
    findings = [f"{each.promise}: {each.words}" for each in outcome.findings]
    if failed is None:
        return Tried(name=f"engine of seed {seed}", call="", stopped=False, findings=tuple(findings))
    if not run.has_ended and failed.name in {"write", "sync"}:
        findings.append(f"P4: an engine went on after a {failed.name} of {failed.path} had failed")
    return Tried(
        name=f"engine of seed {seed}, {failed.name} {failed.path}",
        call=f"{failed.name} {failed.path}",
        stopped=run.has_ended,
        findings=tuple(findings),
    )


def _is_of_storage(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(map(_is_of_storage, error.exceptions))
    return isinstance(error, StorageError)
