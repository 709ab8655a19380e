"""What a person armed for live trading, signed, and what is different from it now."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, TypeVar

import msgspec

from tradecore.domain.spec import ApprovalSpec, CanarySpec
from tradecore.runtime.live.derived_key import DerivedKey
from tradecore.runtime.session_config import ArmedBy
from tradecore.strategy.code import StrategyCode


class ArmedStrategy(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy as it was armed.

    Attributes
    ----------
    name : str
        What the engine calls it.
    reference : str
        Its class, `file.py:Class` or `package.module:Class`; of a file the name without its folder.
    code : StrategyCode
        Its module and what that imports from its own folder.
    settings : dict
        Instruments, bars and whatever else it is given beside its parameters.
    parameters : dict
        Its parameters, as the configuration has them; the others are in the code.
    """

    name: str
    reference: str
    code: StrategyCode
    settings: dict[str, object]
    parameters: dict[str, object]

    def changes_since(self, before: "ArmedStrategy") -> Iterator[str]:
        """Yield what is different, a sentence each."""
        whose = f"of strategy {self.name}"
        if self.reference != before.reference:
            yield f"the class {whose} was {before.reference}, is {self.reference}"
        if words := self.code.changes_since(before.code):
            yield f"the code {whose}: {', '.join(words)}"
        yield from _changes(f"parameter {{}} {whose}", before.parameters, self.parameters)
        yield from _changes(f"setting {{}} {whose}", before.settings, self.settings)


class ArmedAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A venue account as it was armed.

    Attributes
    ----------
    name : str
        What the engine calls it.
    host : str
        Where its venue listens.
    key_id : str
        The venue's name of the key that trades there.
    person : str
        Who answers for what is traded.
    canary : CanarySpec
        What bounds it.
    venues : tuple of str
        The hosts that its orders may go to.
    settings : dict
        What decides which orders are made there, and what they are worth: the instruments and the venue's
        names of them, currency and conversions, the feed, and who gets the orders and positions of others.
    """

    name: str
    host: str
    key_id: str
    person: str
    canary: CanarySpec
    venues: tuple[str, ...]
    settings: dict[str, object] = {}

    def changes_since(self, before: "ArmedAccount") -> Iterator[str]:
        """Yield what is different, a sentence each."""
        whose = f"of account {self.name}"
        named = {"host": "the venue", "key_id": "the key that trades", "person": "the person who answers"}
        for field, words in named.items():
            if (then := getattr(before, field)) != (now := getattr(self, field)):
                yield f"{words} {whose} was {then}, is {now}"
        yield from _changes(
            f"canary setting {{}} {whose}",
            msgspec.to_builtins(before.canary) | {"venues": before.venues},
            msgspec.to_builtins(self.canary) | {"venues": self.venues},
        )
        yield from _changes(f"setting {{}} {whose}", before.settings, self.settings)


_PartT = TypeVar("_PartT", ArmedStrategy, ArmedAccount)


class Arming(msgspec.Struct, frozen=True, kw_only=True):
    """What a person armed.

    Attributes
    ----------
    person : str
        Who armed it.
    time_ns : int
        When, UTC nanoseconds.
    version : str
        Of the program that wrote it.
    account : str
        The engine, by the name of its first account.
    strategies : tuple of ArmedStrategy
        What may trade.
    accounts : tuple of ArmedAccount
        Where it may trade, and how much.
    approval : ApprovalSpec or None
        Which entries wait for a person.
    """

    person: str
    time_ns: int
    version: str
    account: str
    strategies: tuple[ArmedStrategy, ...]
    accounts: tuple[ArmedAccount, ...]
    approval: ApprovalSpec | None = None

    def changes_since(self, before: "Arming") -> list[str]:
        """Return what is not as it was armed before, a sentence each; by whom and when is no part of it."""
        found: list[str] = []
        if self.account != before.account:
            found.append(f"it was armed for the engine {before.account}, and this one is {self.account}")
        then, now = (
            {} if each is None else msgspec.to_builtins(each) for each in (before.approval, self.approval)
        )
        found += _changes("approval setting {}", then, now)
        found += _changed_parts("strategy", self.strategies, before.strategies)
        found += _changed_parts("account", self.accounts, before.accounts)
        return found


class ArmingKey(DerivedKey, frozen=True, kw_only=True):
    """A key that signs what was armed, and opens nothing."""

    purpose: ClassVar[bytes] = b"tradecore arming 1"


class SignedArming(msgspec.Struct, frozen=True, kw_only=True):
    """An arming with the signature of a key."""

    arming: Arming
    key_id: str
    mac: str

    @classmethod
    def of(cls, arming: Arming, key: ArmingKey) -> "SignedArming":
        """Sign an arming."""
        return cls(arming=arming, key_id=key.key_id, mac=key.mac(arming))

    def problems(self, key: ArmingKey) -> list[str]:
        """Return what is wrong with its signature, a sentence each."""
        if self.key_id != key.key_id:
            return [
                f"it is signed with the key {self.key_id!r}, and the key that trades now is {key.key_id!r}"
            ]
        if not hmac.compare_digest(self.mac.encode(), key.mac(self.arming).encode()):
            return ["its signature is wrong: it was changed after it was armed, or the key that trades was"]
        return []

    @property
    def by(self) -> ArmedBy:
        """Who armed it and when, its hash and that of the code: what the journal keeps of it."""
        digest = hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()
        code = {strategy.name: strategy.code.digest for strategy in self.arming.strategies}
        return ArmedBy(person=self.arming.person, time_ns=self.arming.time_ns, digest=digest, code=code)


def _changed_parts(what: str, now: Sequence[_PartT], before: Sequence[_PartT]) -> Iterator[str]:
    known = {part.name: part for part in before}
    for part in now:
        if (then := known.pop(part.name, None)) is None:
            yield f"{what} {part.name} is new"
        else:
            yield from part.changes_since(then)
    yield from (f"{what} {name} is gone" for name in known)


def _changes(what: str, before: Mapping[str, object], now: Mapping[str, object]) -> Iterator[str]:
    """Yield which values differ; as JSON has them, which knows no tuples."""
    for name in sorted(before.keys() | now.keys()):
        then_text, now_text = (_text(values, name) for values in (before, now))
        if then_text != now_text:
            yield f"{what.format(name)} was {then_text}, is {now_text}"


def _text(values: Mapping[str, object], name: str) -> str:
    return msgspec.json.encode(values[name], order="sorted").decode() if name in values else "not set"
