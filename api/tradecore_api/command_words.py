"""What an operator is told beside that a command was taken."""

from tradecore.domain.commands import Command, Flatten, Kill, Pause, Release, ReleaseKill, Resume
from tradecore.domain.money_requests import Money
from tradecore.engine import Engine


def answer_words(engine: Engine, command: Command | Money) -> str:
    """Say that a command ends what never was, or at which accounts it works; empty where neither matters.

    It is journalled in any case.
    """
    found = engine.summary()
    match command:
        case Release(scope=scope) if scope not in found.halts:
            halted = ", ".join(found.halts)
            beside = f"; halted is {halted}" if halted else ""
            return f"nothing was halted in {scope}, so nothing changed{beside}"
        case Resume() if not found.is_paused:
            return "it was not paused, so nothing changed"
        case ReleaseKill() if not found.is_killed:
            return "the kill switch was not engaged, so nothing changed"
        case Pause() | Resume() | Flatten() | Kill() | ReleaseKill() if len(engine.spec.account_names) > 1:
            return f"{command.done()}; at every account: {', '.join(engine.spec.account_names)}"
        case _:
            return ""
