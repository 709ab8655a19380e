"""Which trials a seed has, and what all of them do together."""

from collections.abc import Sequence
from random import Random

from tradecore.proof.dead_engine import DeadEngineTrial, absence_of
from tradecore.proof.full_disk import FullDiskTrial, full_disk_of
from tradecore.proof.gear import PLAIN, Gear
from tradecore.proof.host import Host
from tradecore.proof.kill_switch import KillSwitchTrial, uses_of_kill
from tradecore.proof.plan import Plan
from tradecore.proof.standing_still import StandingLoop
from tradecore.proof.take_over import TakeOverTrial, take_overs_of
from tradecore.proof.trial import Scene, Trial
from tradecore.proof.virtual_loop import VirtualLoop


def loop_of(plan: Plan, order: Random | None) -> VirtualLoop:
    """Return the loop that a run needs; `order` draws which task is next."""
    return StandingLoop(order) if take_overs_of(plan) else VirtualLoop(order)


class Trials:
    """All trials of a run.

    Parameters
    ----------
    scene : Scene
        Where they take place.
    loop : VirtualLoop
        On which it runs, of `loop_of`.

    Attributes
    ----------
    all : sequence of Trial
        Each of them.
    """

    def __init__(self, scene: Scene, loop: VirtualLoop) -> None:
        plan = scene.plan
        self._disk: FullDiskTrial | None = None
        self._take_over: TakeOverTrial | None = None
        found: list[Trial] = []
        if isinstance(loop, StandingLoop):
            self._take_over = TakeOverTrial(scene, take_overs_of(plan), loop)
            found.append(self._take_over)
        else:
            # Who stands still answers no command, and looks after no disk.
            uses = uses_of_kill(plan)
            if (how := full_disk_of(plan, has_other_stops=bool(uses))) is not None:
                self._disk = FullDiskTrial(scene, how)
                found.append(self._disk)
            if uses:
                found.append(KillSwitchTrial(scene, uses))
        if (absence := absence_of(plan)) is not None:
            found.append(DeadEngineTrial(scene, absence))
        self.all: Sequence[Trial] = found

    def gear(self) -> Gear:
        """Return what the next engine is started with."""
        gear = PLAIN
        for trial in self.all:
            gear = trial.equip(gear)
        return gear

    def begin(self, host: Host) -> None:
        """Let all of them look at an engine that is about to run."""
        for trial in self.all:
            trial.begin(host)

    def cease(self) -> None:
        """Begin nothing any more: the run takes no new risk."""
        for trial in self.all:
            trial.is_ending = True

    async def end(self, host: Host) -> None:
        """Let all of them look at what an engine has left that is gone."""
        for trial in self.all:
            await trial.let_go()
        for trial in self.all:
            await trial.follow(host)

    async def is_halted(self, host: Host) -> bool:
        """Let the last engine live until it stands still and another one is to take it over, if one is."""
        return self._take_over is not None and await self._take_over.is_halted(host)

    @property
    def stands_still(self) -> bool:
        """Whether the last engine stands still, and takes nothing in."""
        return self._take_over is not None and self._take_over.stands_still

    @property
    def has_stopped(self) -> bool:
        """Whether the last engine ended by itself, as it should, and another one is to go on."""
        return self._disk is not None and self._disk.has_stopped
