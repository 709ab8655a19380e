"""What an operator tells an engine: one struct for each command, by the names that people use.

Which commands there are, and what each does, is stated once, in the native module; a test compares. A new
one is a struct here, beside its name and its meaning in Rust: control channel, engine and journal take
commands as they come. The journal has them by number (`record_bodies.Command`); `told` makes them readable.
"""

import re
import shlex
from functools import cache

import msgspec

from tradecore._core import command_names
from tradecore.domain.errors import InvalidValueError
from tradecore.domain.record_bodies import Command as RecordedCommand
from tradecore.domain.units import Units

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


def name_of_class(class_name: str) -> str:
    """Return the name by which records and people call a command: `set_limit` for `SetLimit`."""
    return _CAPITAL.sub("_", class_name).lower()


class Plain(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag=name_of_class,
    tag_field="command",
):
    """A command that says everything by its name."""

    @property
    def name(self) -> str:
        """How it is called, `set_limit` for instance."""
        return str(self.__struct_config__.tag)

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        return self.words()

    def words(self) -> str:
        """Say what was commanded, to who reads the journal."""
        return f"command {self.name}"


class Stopping(Plain, frozen=True, kw_only=True):
    """A command that stops trading or lets it go on: all of it, or a part alone.

    Attributes
    ----------
    scope : str or None
        The part: `strategy:NAME`, `instrument:SYMBOL`, and where an engine has several accounts
        `account:NAME`. `None` is everything.
    """

    scope: str | None = None

    def __post_init__(self) -> None:
        """Take a scope without a name for none: commands of other versions have such."""
        if not self.scope:
            msgspec.structs.force_setattr(self, "scope", None)

    @property
    def _part(self) -> str:
        """Return ` of strategy trend`, and nothing for everything."""
        return f" of {self.scope.replace(':', ' ', 1)}" if self.scope else ""


class Pause(Stopping, frozen=True, kw_only=True):
    """Refuse what adds risk until `Resume`; cancels and closing orders still work."""

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        # Quoted for a shell, which would split a name that has a space.
        until = f"`tradecore resume{f' {shlex.quote(self.scope)}' if self.scope else ''}`"
        return (
            f"paused: no new risk{self._part} is taken; cancels and closing orders still work until {until}"
        )

    def words(self) -> str:
        """Say what was commanded, to who reads the journal."""
        still = "cancels and closing orders still work"
        return f"an operator paused trading{self._part}: no new risk is taken, {still}"


class Resume(Stopping, frozen=True, kw_only=True):
    """End a pause: what adds risk is judged again, and no longer refused."""

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        if self.scope:
            return f"resumed: new risk{self._part} may be taken again, unless something else stops it"
        return "resumed: strategies may take new risk again"

    def words(self) -> str:
        """Say what was commanded, to who reads the journal."""
        return f"an operator ended the pause{self._part}"


class Flatten(Stopping, frozen=True, kw_only=True):
    """Cancel every order and close every position: at the market, or by limit orders first.

    Attributes
    ----------
    within_bps : int or None
        How far from the mark of the moment its limit orders may be, in basis points: 1 to 9,999. 0 is at the
        market at once. `None` is what `[flatten]` says, and at the market where nothing is said.
    then_market_ns : int or None
        How long these have, in nanoseconds, before what is left goes at the market; `None` is what
        `[flatten]` says.
    """

    within_bps: int | None = None
    then_market_ns: int | None = None

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        what = f"every order{self._part} is cancelled, every position closed"
        if not self.scope:
            what = "every order is cancelled, every position is closed"
        return f"flattening: {what} {self._way or 'as the market allows'}"

    def words(self) -> str:
        """Say what was commanded, to who reads the journal: by an operator, or by the engine after a loss."""
        way = f" {self._way}" if self._way else ""
        if self.scope:
            return f"flattening: every order{self._part} is cancelled and every position closed{way}"
        return f"flattening: every order is cancelled and every position is closed{way}"

    @property
    def _way(self) -> str:
        """Return how it closes by limit orders; nothing where it goes at the market."""
        if not self.within_bps or not self.then_market_ns:
            return ""
        seconds = f"{self.then_market_ns / 1e9:g}"
        return f"by limit within {self.within_bps} bps of the mark, and at the market after {seconds} s"


class Kill(Stopping, frozen=True, kw_only=True):
    """Cancel every order and refuse new ones until released."""

    def words(self) -> str:
        """Say what was commanded, to who reads the journal."""
        done = "is cancelled and new ones are refused until it is released"
        return f"KILL SWITCH engaged: every order{self._part} {done}"


class ReleaseKill(Stopping, frozen=True, kw_only=True):
    """Release the kill switch, so that new orders are judged again."""

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        return f"the kill switch{self._part} is released"

    def words(self) -> str:
        """Say what was commanded, to who reads the journal."""
        return f"the kill switch{self._part} was released"


class CancelAll(Stopping, frozen=True, kw_only=True):
    """Cancel every order and nothing else: strategies may send new ones."""

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        return f"every order{self._part} is cancelled; strategies may send new ones"

    def words(self) -> str:
        """Say what was commanded, to who reads the journal."""
        return f"an operator cancels every order{self._part}"


class Cancel(Plain, frozen=True, kw_only=True):
    """Cancel one order, whoever's it is.

    Attributes
    ----------
    order : int
        Its number, as `tradecore status` and the journal have it.
    """

    order: int

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        return f"the end of order {self.order} is asked for"

    def words(self) -> str:
        """Say what was commanded, to who reads the journal."""
        return f"an operator cancels order {self.order}"


class Personal(Plain, frozen=True, kw_only=True):
    """A command that somebody answers for.

    Attributes
    ----------
    scope : str
        Whom it is about: `account`, `strategy:NAME` or `instrument:SYMBOL`, as far as the command allows;
        where an engine has several accounts `portfolio` or `account:NAME`.
    person : str
        Who answers for it: 1 to 32 bytes. Nobody is known in journals of before that was asked.
    """

    scope: str
    person: str

    def _whom(self) -> str:
        return self.scope.replace(":", " ", 1)


class SetLimit(Personal, frozen=True, kw_only=True):
    """Give a limit of a scope a new value, as in the settings; `None` switches it off."""

    limit: str
    value: str | None

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        return "the limit has its new value from the next order on"

    def words(self) -> str:
        """Say what was commanded, to who reads the journal."""
        now = "off" if self.value is None else self.value
        return f"limit {self.limit} of {self._whom()} is {now} now"


class Release(Personal, frozen=True, kw_only=True):
    """Let a halted strategy, or the account, trade again."""

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        return "the halt is released"

    def words(self) -> str:
        """Say what was commanded, to who reads the journal."""
        return f"a halt of {self._whom()}, if there was one, was released"


class Allow(Personal, frozen=True, kw_only=True):
    """Let a strategy trade an instrument, by its symbol."""

    instrument: str

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        return "allowed from the next order on"

    def words(self) -> str:
        """Say what was commanded, to who reads the journal."""
        return f"{self._whom()} may trade {self.instrument}"


class Forbid(Personal, frozen=True, kw_only=True):
    """Let a strategy open nothing more in an instrument, by its symbol."""

    instrument: str

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        return "forbidden from the next order on; what is held can still be closed"

    def words(self) -> str:
        """Say what was commanded, to who reads the journal."""
        return f"{self._whom()} may no longer trade {self.instrument}"


class Consent(Plain, frozen=True, kw_only=True):
    """A person's answer to a wish that waits for one.

    Attributes
    ----------
    value : str
        The number of the wish, as `tradecore approvals` shows it.
    person : str
        Who decided it: 1 to 32 bytes.
    """

    value: str
    person: str


class Approve(Consent, frozen=True, kw_only=True):
    """Put a wish that waits for a person before risk."""

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        return "it was put before risk; `tradecore status` shows its order, or the log why it was refused"

    def words(self) -> str:
        """Say what was commanded, to who reads the journal."""
        return f"wish {self.value} was approved: risk judges it now"


class Reject(Consent, frozen=True, kw_only=True):
    """End a wish that waits for a person."""

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        return "it is refused; nothing was sent"

    def words(self) -> str:
        """Say what was commanded, to who reads the journal."""
        return f"wish {self.value} was rejected"


class SafetyPause(Plain, frozen=True, kw_only=True):
    """Refuse what adds risk until `Resume`, because something that the engine goes by is not to be trusted.

    The engine gives it itself; `[safety]` says when.

    Attributes
    ----------
    cause : str
        `feed_lost`, `stale_data`, `clock_jump`, `file_gone`, `disk_full`, `no_descriptors` or
        `helper_failed`.
    seen : int
        What was seen: nanoseconds, of stale data how often, and 0 where nothing is counted.
    bound : int
        What is allowed.
    """

    cause: str
    seen: int
    bound: int

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        return f"paused: {self.why()}"

    def words(self) -> str:
        """Say what was commanded, to who reads the journal."""
        return f"PAUSED for safety, no new risk is taken until `tradecore resume`: {self.why()}"

    def why(self) -> str:
        """Say what is not to be trusted."""
        seen, bound = self.seen / 1e9, self.bound / 1e9
        match self.cause:
            case "feed_lost":
                return f"the feed has brought nothing for {seen:.1f} s, allowed are {bound:g} s"
            case "stale_data":
                return f"the feed has stood still {self.seen} times, allowed are fewer than {self.bound}"
            case "clock_jump":
                return f"the clock of the machine has jumped by {seen:+.3f} s, allowed are {bound:g} s"
            case "file_gone":
                return "the state directory or the journal is no longer where it was"
            case "disk_full":
                return "the disk of the journal is full, and it goes on in the room that was kept for this"
            case "no_descriptors":
                return "the process can open no more files, and goes on with those that were kept for stops"
            case "helper_failed":
                return "what looks after feed, clock or command files has ended by a fault: start it again"
            case cause:
                return cause


Command = (
    Pause
    | Resume
    | Flatten
    | Kill
    | ReleaseKill
    | SetLimit
    | Release
    | Allow
    | Forbid
    | CancelAll
    | Cancel
    | Approve
    | Reject
    | SafetyPause
)


@cache
def commands() -> dict[str, type[Command]]:
    """Return the class of every command by its name, in the order of the native module."""
    known: dict[str, type[Command]] = {str(kind.__struct_config__.tag): kind for kind in Command.__args__}
    return {name: known[name] for name, _ in command_names()}


def command_of(name: str, **said: str | int | None) -> Command:
    """Return a command by its name and what it says beside that.

    Raises
    ------
    InvalidValueError
        When there is no such command, something is missing, or it has no use for something.
    """
    kind = commands().get(name)
    if kind is None:
        raise InvalidValueError("command", name, f"must be one of {', '.join(commands())}")
    try:
        return msgspec.convert({"command": name, **said}, kind, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidValueError("command", name, str(error)) from None


def told(recorded: RecordedCommand, units: Units) -> str:
    """Say what a recorded command was, by whom, in words."""
    kind = commands()[recorded.command]
    said = {
        "scope": _scope(recorded, units),
        "limit": recorded.limit or "",
        "value": recorded.value if isinstance(recorded.value, str) else None,
        "instrument": units.symbol(recorded.instrument or 0),
        "person": recorded.person or "",
        "order": recorded.order_id or 0,
        "within_bps": recorded.within_bps,
        "then_market_ns": recorded.then_market_ns,
        "cause": recorded.cause or "",
        "seen": recorded.seen or 0,
        "bound": recorded.bound or 0,
    }
    command = kind(**{name: said[name] for name in kind.__struct_fields__})  # type: ignore[arg-type]
    return f"{command.words()}, by {recorded.person}" if recorded.person else command.words()


def _scope(recorded: RecordedCommand, units: Units) -> str:
    return units.scope(recorded.scope or "", recorded.scope_id or 0)
