"""Whether an engine may still send: nobody with a higher epoch has taken its account over."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import msgspec

from tradecore.domain.epoch import Epoch
from tradecore.domain.errors import FencedError
from tradecore.domain.venue_findings import FillSeen, OrderSeen, PositionSeen
from tradecore.engine import Engine
from tradecore.runtime.live.client_ids import EPOCH_MAX, ClientIds
from tradecore.runtime.recovery import Recovered

# How a journal names the end of a session that was fenced.
FENCED = "fenced"
_GO_ON = (
    "Nothing is sent from here. If the other engine is the one to go on, leave this one ended. If this "
    "journal is the one to go on with, make sure that the other one is gone, then start once with "
    "`tradecore run --take-over`"
)


class AccountHold(msgspec.Struct, frozen=True, kw_only=True):
    """How an engine holds an account of a venue on its machine.

    Attributes
    ----------
    epoch : callable
        Returns the epoch of the last engine that took it; asked before each request, so it has to be cheap.
    raise_to : callable
        Makes an epoch that of the account, durably; a lower one than it has changes nothing.
    takes_over : bool
        Whether an operator has decided that this engine goes on, whoever had the account before.
    path : str
        Where the epoch is kept, for messages; empty where it is nowhere.
    """

    epoch: Callable[[], int]
    raise_to: Callable[[int], None]
    takes_over: bool = False
    path: str = ""


# A line that nobody else can hold, as that of a test.
UNHELD = AccountHold(epoch=lambda: 0, raise_to=lambda _: None)


class Fence:
    """Decides at the start by which epoch an engine trades, and from then on whether it is still the one.

    Evidence of another engine is a name of this very journal, at this very account, that this engine cannot
    have given: of a higher epoch, or of its own epoch and an order that it has not come to. Nobody without a
    key of the account can make such an order. A name that only has the form of ours, of another journal, is
    no evidence.

    Once fenced it stays so.

    Parameters
    ----------
    account : str
        Name of the account, for messages.
    journal : callable
        Returns the hash of the journal's first record, once it has one.
    hold : AccountHold
        How it is held on this machine.
    epoch_min : int
        The epoch that the configuration asks for at least.
    """

    def __init__(
        self, account: str, journal: Callable[[], str], hold: AccountHold = UNHELD, *, epoch_min: int = 0
    ) -> None:
        self._account = account
        self._journal = journal
        self._hold = hold
        self._epoch_min = epoch_min
        self.epochs: tuple[Epoch, ...] = (Epoch(epoch_min, 1),)
        self.fenced: FencedError | None = None
        self._ids: ClientIds | None = None
        self._last_order_id: Callable[[], int] = _none
        # The last one that is known to have been given: the engine is asked only where a name is beyond it.
        self._known_order_id = 0
        self._wake: Callable[[], None] = _nothing
        # Asks the venue for the names of its open orders, and of those that have traded since a time.
        self.names_since: Callable[[int], Awaitable[Iterable[str | None]]] = _no_names

    @property
    def epoch(self) -> int:
        """The epoch by which it trades."""
        return self.epochs[-1].number

    @property
    def is_held(self) -> bool:
        """Whether the account is held on this machine, so that somebody else may take it."""
        return self._hold is not UNHELD

    async def settle(
        self,
        recorded: Sequence[Epoch] | None,
        *,
        last_order_id: int,
        since_ns: int,
    ) -> tuple[Epoch, ...]:
        """Decide by which epoch to trade, before anything is written or sent; return all of the journal.

        Parameters
        ----------
        recorded : sequence of Epoch, or None
            What the journal says: `None` where it has no record yet, empty where it knows no epochs.
        last_order_id : int
            The number that was given last by the journal.
        since_ns : int
            When the journal ends.

        Raises
        ------
        FencedError
            When another engine has the account, or none is higher than the epoch of the one before.
        StorageError
            When the epoch cannot be kept.
        """
        claimed = self._hold.epoch()
        if recorded is None:
            # Names of a new journal are of nobody else: the epoch of the account goes on.
            self.epochs = (Epoch(max(claimed, self._epoch_min), 1),)
        else:
            self.epochs = tuple(recorded) or self.epochs
            ids = ClientIds(self.epochs, self._journal())
            found = [ids.epoch_and_number(name) for name in await self.names_since(since_ns)]
            known = [each for each in found if each is not None]
            if self._hold.takes_over:
                seen = max((number for number, _ in known), default=0)
                self._begin_anew(max(self.epoch + 1, claimed, seen + 1, self._epoch_min), last_order_id)
            else:
                self._check_claim(claimed)
                self._check_names(known, last_order_id)
                if self._epoch_min > self.epoch:
                    self._begin_anew(self._epoch_min, last_order_id)
        self._hold.raise_to(self.epoch)
        return self.epochs

    def carried(self, recorded: Sequence[Epoch]) -> tuple[Epoch, ...]:
        """Return the epochs of a new journal that goes on with the account of an old one.

        Raises `FencedError` where another engine has taken the account over since, and nobody has decided
        that this one goes on.
        """
        claimed = self._hold.epoch()
        self.epochs = tuple(recorded) or self.epochs
        if not self._hold.takes_over:
            self._check_claim(claimed)
        return (Epoch(max(self.epoch, claimed, self._epoch_min), 1),)

    def _begin_anew(self, number: int, last_order_id: int) -> None:
        """Name the orders from here on by another epoch; one without an order is as if it had not been."""
        if number > EPOCH_MAX:
            found = f"no epoch is higher than {EPOCH_MAX}, which its orders at the venue have"
            advice = (
                "Begin a new journal, whose orders have other names: end the orders of this one, then start "
                f"with `--carry-over` or `--new-journal`{self._and_remove}"
            )
            raise FencedError(self._account, found, advice)
        before = [each for each in self.epochs if each.first_order <= last_order_id]
        self.epochs = (*before, Epoch(number, last_order_id + 1 if before else 1))

    @property
    def _and_remove(self) -> str:
        return f", after no engine of it runs and {self._hold.path} is removed" if self._hold.path else ""

    def _check_claim(self, claimed: int) -> None:
        if claimed > max(self.epoch, self._epoch_min):
            found = (
                f"an engine with epoch {claimed} has taken it over on this machine, and this journal is of "
                f"epoch {self.epoch}: it is an older copy, or its own take-over was broken off"
            )
            raise FencedError(self._account, found, _GO_ON)

    def _check_names(self, known: Iterable[tuple[int, int]], last_order_id: int) -> None:
        for number, order_id in known:
            if words := self._evidence(number, order_id, last_order_id):
                raise FencedError(self._account, words, _GO_ON)

    def _evidence(self, number: int, order_id: int, last_order_id: int) -> str:
        """Say why only another engine can have given a name of this journal; nothing where it may be ours."""
        if number > self.epoch:
            return (
                f"its venue shows order {order_id} of this journal with epoch {number}, and this engine has "
                f"epoch {self.epoch}: another one has taken it over with a copy of this journal"
            )
        if number == self.epoch and order_id > last_order_id:
            return (
                f"its venue shows order {order_id} of this journal, which has come to {last_order_id} only: "
                "this is an older copy of a journal that another engine has gone on with"
            )
        return ""

    def start(self, last_order_id: Callable[[], int], wake: Callable[[], None]) -> ClientIds:
        """Return the names of orders, and look at what the venue tells from here on.

        `wake` is called once it is fenced.
        """
        self._last_order_id, self._wake = last_order_id, wake
        self._ids = ids = ClientIds(self.epochs, self._journal())
        return ids

    def may_send(self) -> bool:
        """Tell whether this engine still has the account; asked before each request."""
        if self.fenced is not None:
            return False
        if (claimed := self._hold.epoch()) <= self.epoch:
            return True
        self._note(
            f"an engine with epoch {claimed} has taken it over on this machine, and this one has {self.epoch}"
        )
        return False

    def hear(self, *seen: object) -> None:
        """Look at the names of what the venue shows."""
        ids = self._ids
        if ids is None or self.fenced is not None:
            return
        for each in seen:
            if not isinstance(each, OrderSeen | FillSeen | PositionSeen):
                continue
            named = ids.epoch_and_number(each.client_order_id)
            if named is None or (named[0] <= self.epoch and named[1] <= self._known_order_id):
                continue
            self._known_order_id = self._last_order_id()
            if words := self._evidence(*named, self._known_order_id):
                self._note(words)
                return

    def _note(self, found: str) -> None:
        self.fenced = FencedError(self._account, found, _GO_ON)
        self._wake()


async def settled(
    fences: Mapping[str, Fence], engine: Engine, recovered: Recovered
) -> dict[str, tuple[Epoch, ...]]:
    """Settle by which epoch each account trades that is held; raises as `Fence.settle` does."""
    last_order_id = max(engine.kernel.outside()["last_order_id"], recovered.last_order_id)
    has_records = recovered.frames > 0
    return {
        name: await fence.settle(
            recovered.epochs.get(name, ()) if has_records else None,
            last_order_id=last_order_id,
            since_ns=engine.now_ns,
        )
        for name, fence in fences.items()
        if fence.is_held
    }


def _none() -> int:
    return 0


async def _no_names(_: int) -> tuple[str, ...]:
    return ()


def _nothing() -> None:
    """Wake nobody: there is no session yet."""
