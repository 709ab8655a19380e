"""The small files of an engine: kill switch, arming, epoch, dead letters, last words, commands, budget."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from promises.power.said import Said, Say
from tradecore.domain.venue_findings import NotUnderstood
from tradecore.ports.control_channel import ControlReply, ControlRequest
from tradecore.runtime.live.arming import Arming, SignedArming
from tradecore.runtime.live.budget import BudgetRules
from tradecore.runtime.live.shared_budget import SharedBudget
from tradecore_api import kill_latch, last_words
from tradecore_api.arming_file import read_arming, remove_arming, write_arming
from tradecore_api.command_files import CommandFiles, found
from tradecore_api.dead_letters import DeadLetters
from tradecore_api.epoch_file import EpochFile
from tradecore_api.state_dir import SHARED_NAME, StateDir, shared_file

WHAT = "kill switch, arming, epoch, dead letters, last words, command files, budget"
SHARE = 0.2
_ACCOUNT = "acc"
# More than two sectors, so that a letter can be torn.
_LONG = 1_300
_RULES = BudgetRules(per_second=10.0, burst=20.0)


def write(directory: Path, say: Say, seed: str) -> None:
    """Write them all, in a process that is recorded."""
    os.environ["TRADECORE_STATE_DIR"] = str(directory / "state")
    state = StateDir(_ACCOUNT)
    state.create()
    acts = [list(_switch(state)), list(_arming(state)), list(_letters(state)), list(_words(state))]
    draw = random.Random(int(seed))
    # In an order of its own for each seed; those of one file stay in theirs.
    while acts := [each for each in acts if each]:
        subject, value, act = draw.choice(acts).pop(0)
        say(begun=subject, value=value)
        act()
        say(ended=subject, value=value)
    _epochs(say)
    _commands(state, say)


Act = tuple[str, object, Callable[[], object]]


def _switch(state: StateDir) -> Iterator[Act]:
    for number in range(3):
        yield "switch", "engaged", lambda number=number: kill_latch.engage(state, "x" * 700 * number)
        yield "switch", "released", lambda: kill_latch.request_release(state)
        yield "switch", "clear", lambda: kill_latch.clear(state)
    yield "switch", "engaged", lambda: kill_latch.engage(state, "last")
    yield "switch", "released", lambda: kill_latch.request_release(state)
    yield "switch", "engaged", lambda: kill_latch.engage(state, "again")


def _arming(state: StateDir) -> Iterator[Act]:
    for number in range(3):
        arming = Arming(
            person=f"person {number}",
            time_ns=number,
            version="y" * _LONG,
            account="a",
            strategies=(),
            accounts=(),
        )
        signed = SignedArming(arming=arming, key_id="k", mac="m")
        yield "arming", arming.person, lambda signed=signed: write_arming(state, signed)
        if number != 1:
            yield "arming", None, lambda: remove_arming(state)


def _letters(state: StateDir) -> Iterator[Act]:
    letters = DeadLetters(state.dead_letters)
    for number in range(1, 4):
        letter = NotUnderstood(text=f"{number}" * _LONG, why="odd")
        yield "letters", [1] * number, lambda n=number, each=letter: letters.keep([each], n)
    first = NotUnderstood(text="1" * _LONG, why="odd")
    yield "letters", [2, 1, 1], lambda: letters.note_read([first], 9)


def _words(state: StateDir) -> Iterator[Act]:
    for name in ("one", "two"):
        words = last_words.of_clean_end(name, 1, ["a line " * 99] * 3)
        yield "words", words.reason, lambda words=words: words.write(state.last_words)


def _epochs(say: Say) -> None:
    path = _shared() / "venue.engine"
    for number in (1, 2, 17):
        file = EpochFile(path)
        say(begun="epoch", value=number)
        file.raise_to(number)
        say(ended="epoch", value=number)
        file.close()
    budget = SharedBudget(_shared() / "venue.budget", _RULES)
    budget.take(1_000, is_cancel=False)
    budget.close()


def _commands(state: StateDir, say: Say) -> None:
    """Lay a command as a careful operator does, and let it be carried out; the next one is refused."""
    for name in ("resume", "pause"):
        path = state.path / f"{name}.command"
        say(begun="command", value=name)
        path.with_name("beside").write_text(f"{name}\n")
        path.with_name("beside").replace(path)
        _sync(path)
        _sync(path.parent)
        say(ended="command", value=name)
        answer = _answer(say, is_accepted=name == "resume")
        asyncio.run(CommandFiles(state).work(answer))
        say(ended="command", value="")


def _answer(say: Say, *, is_accepted: bool) -> Callable[[ControlRequest], Awaitable[ControlReply]]:
    """Return what carries a command out, or refuses it."""

    async def answer(request: ControlRequest) -> ControlReply:
        say(begun="command", value="")
        return ControlReply(accepted=is_accepted, message="" if is_accepted else "no")

    return answer


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    os.fsync(number)
    os.close(number)


def _shared() -> Path:
    return shared_file("venue").parent


class Judge:
    """Reads each of them as the next start does: what it says is what was said last, or was under way."""

    def __init__(self, seed: int) -> None:
        """Need nothing of the seed: all is in what was said."""

    def faults(self, image: Path, said: Said) -> list[str]:
        """Return what is wrong with an image."""
        state = StateDir(_ACCOUNT, within=image / "state")
        found_now = {
            "switch": _switch_of(state),
            "arming": None if (signed := read_arming(state)) is None else signed.arming.person,
            "letters": [2 if each.read_ns else 1 for each in DeadLetters(state.dead_letters).all()],
            "words": None if (words := last_words.read(state.last_words)) is None else words.reason,
            "epoch": _epoch_of(image),
            "command": _command_of(state),
        }
        nothing = {"switch": "clear", "letters": [], "epoch": 0, "command": ""}
        wrong = []
        for subject, value in found_now.items():
            allowed = _allowed(said, subject, nothing.get(subject))
            if value not in allowed:
                wrong.append(f"{subject} is {value!r}, may be {allowed}")
        return wrong


def _allowed(said: Said, subject: str, nothing: object) -> list[object]:
    """Return what may be found: what was said to be safe last, and what was begun since."""
    allowed = [nothing]
    for each in said:
        if each.get("ended") == subject:
            allowed = [each["value"]]
        elif each.get("begun") == subject:
            allowed.append(each["value"])
    return allowed


def _switch_of(state: StateDir) -> str:
    """Return what a start makes of the switch."""
    if kill_latch.is_engaged(state):
        return "engaged"
    return "released" if kill_latch.is_release_requested(state) else "clear"


def _epoch_of(image: Path) -> int:
    """Return the epoch that a start finds; the budget beside it lets requests out, or is empty."""
    shared = image / "state" / SHARED_NAME
    if not shared.is_dir():
        return 0
    budget = SharedBudget(shared / "venue.budget", _RULES)
    budget.take(2_000, is_cancel=False)
    budget.close()
    file = EpochFile(shared / "venue.engine")
    try:
        return file.epoch()
    finally:
        file.close()


def _command_of(state: StateDir) -> str:
    """Return the command that a start carries out; none where none lies there."""
    files = found(state) if state.path.is_dir() else []
    return "".join(each.path.name.partition(".")[0] for each in files if each.path.name != "beside")
