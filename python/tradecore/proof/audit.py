"""Holds what a run has left against what the venue really did, promise by promise.

It reads the journal and the venue's list of deeds, and works out orders, fills, positions and money again.
"""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from tradecore.domain import record_bodies as bodies
from tradecore.domain.errors import TradecoreError
from tradecore.domain.journal import JournalFolder
from tradecore.proof.event_kinds import split
from tradecore.proof.host import Arrived, Host, fresh_engine
from tradecore.proof.order_lives import OrderLives
from tradecore.proof.plan import ACCOUNT, Plan
from tradecore.proof.trial import Finding, Trial
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.recovery import recover
from tradecore.testkit.local_venue.comparison import Truth, compare
from tradecore.testkit.local_venue.exchange import LocalExchange
from tradecore.testkit.local_venue.faults import FaultSeen
from tradecore.testkit.local_venue.records import OrderRow

# Which promise a difference is about, by words that the comparison uses.
_ABOUT = (
    ("times", "P15"),
    ("never sent", "P15"),
    ("is none of this journal", "P15"),
    ("never shown", "P16"),
    ("fills of the venue", "P21"),
    ("position of", "P27"),
    ("cash:", "P28"),
)
# Records that say what became of orders.
_OF_LIVES = frozenset(
    {
        "order", "cancel_request", "replace_request", "report", "sized", "sent", "surprise", "link",
        "venue_report", "outcome_lost", "venue_revision", "revision", "reconciling", "reconciled",
    }
)  # fmt: skip
_STREAM_FAULTS = frozenset({"disconnect", "silence", "frame_lost", "frame_garbled"})
_FRAME_FAULTS = frozenset({"frame_unsent", "frame_doubled", "frame_swapped", "frame_late"})


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that a run has left."""

    plan: Plan
    host: Host
    exchange: LocalExchange
    arrived: Sequence[Arrived]
    restarts: int
    faults_seen: Sequence[FaultSeen]
    trials: Sequence[Trial] = ()


class Audit:
    """Looks at what a run has left.

    Parameters
    ----------
    evidence : Evidence
        What it has left.

    Attributes
    ----------
    tried : Counter
        How often each promise was put to the test.
    findings : list of Finding
        What was broken.
    split : Counter
        How many frames of the journal are about what, as `event_kinds` has it.
    orders, fills : int
        Orders and trades at the venue.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.tried: Counter[str] = Counter()
        self.findings: list[Finding] = []
        self.split: Counter[str] = Counter()
        self.orders = self.fills = 0

    def run(self) -> None:
        """Look at everything."""
        evidence = self._evidence
        folder = evidence.host.folder
        ids = ClientIds(evidence.host.link.fence.epochs, folder.first_hash())
        lives = OrderLives()
        trials = evidence.trials
        looked_at = _OF_LIVES | {"command"} if trials else _OF_LIVES
        kinds: Counter[str] = Counter()
        cancels = 0
        for seq, _, kind, fields in folder.reader():
            kinds[kind] += 1
            if kind in looked_at:
                cancels += kind == "sent" and fields["request"] == "cancel"
                body = bodies.MAKERS[kind](**fields)
                for trial in trials:
                    trial.read(seq, body, lives)
                lives.take(seq, body)
        self.split = split(kinds, cancels)
        for trial in trials:
            self.tried[trial.promise] += trial.tried
            self.findings += trial.findings
        self._count_faults()
        self._look_at_lives(lives, ids)
        self._look_at_sends(lives, ids)
        self._look_at_books(folder)
        self._look_at_replay(folder)

    def _find(self, promise: str, words: str) -> None:
        self.findings.append(Finding(promise, words))

    def _count_faults(self) -> None:
        kinds = Counter(each.kind.value for each in self._evidence.faults_seen)
        self.tried["P18"] += sum(kinds[kind] for kind in _FRAME_FAULTS)
        self.tried["P21"] += sum(kinds[kind] for kind in _STREAM_FAULTS)
        self.tried["P22"] += kinds.total() - self.tried["P18"] - self.tried["P21"]
        self.tried["P19"] += self._evidence.restarts

    def _look_at_lives(self, lives: OrderLives, ids: ClientIds) -> None:
        """Look at the states that the journal says orders had."""
        for promise, words in lives.broken:
            self._find(promise, words)
        self.tried["P16"] += lives.doubts
        self.tried["P17"] += lives.reports
        self.tried["P27"] += lives.fills
        there = {ids.order_id(row.asked_as) for row in self._rows()}
        for order_id in sorted(lives.never_arrived & there):
            self._find("P16", f"order {order_id} was given up as never arrived, and the venue has it")
        for instrument in range(self._evidence.plan.traded):
            booked = self._evidence.host.engine.kernel.position_total_lots(instrument)
            if booked != lives.positions[instrument]:
                self._find(
                    "P27",
                    f"instrument {instrument}: {booked} lots in the books, its fills are "
                    f"{lives.positions[instrument]}",
                )

    def _look_at_sends(self, lives: OrderLives, ids: ClientIds) -> None:
        """Look whether each order that came to the venue was durable before it left."""
        for each in self._evidence.arrived:
            order_id, revision = ids.order_id(each.client_order_id), ids.revision(each.client_order_id)
            self.tried["P3"] += 1
            seqs = lives.sent.get(order_id or 0, [])
            # One that is sent anew has a record of its own, and so many before it.
            if not seqs or (not revision and seqs[0] >= each.durable_records):
                self._find("P3", f"order {order_id} left before its record was durable")

    def _look_at_books(self, folder: JournalFolder) -> None:
        """Hold books and venue against each other, to the last unit."""
        evidence, kernel = self._evidence, self._evidence.host.engine.kernel
        exchange, instruments = evidence.exchange, evidence.plan.instruments
        account = exchange.accounts[ACCOUNT]
        truth = Truth(
            deeds=tuple(exchange.truth),
            balances=tuple(exchange.balances(ACCOUNT)),
            positions=tuple(account.positions()),
        )
        found = compare(
            folder,
            truth,
            account=ACCOUNT,
            instruments=instruments,
            positions={
                spec.symbol: kernel.position_total_lots(number) * Decimal(spec.lot_size)
                for number, spec in enumerate(instruments)
            },
            cash=Decimal(evidence.host.engine.summary().cash),
            epoch=evidence.host.link.fence.epochs,
        )
        self.orders, self.fills = found.orders_there, found.fills_there
        self.tried["P15"] += found.orders_there
        self.tried["P28"] += found.fills_there
        for words in found.differences:
            promise = next((about for part, about in _ABOUT if part in words), "P19")
            self._find(promise, words)

    def _look_at_replay(self, folder: JournalFolder) -> None:
        """Make the whole journal again: every byte, and the state at its end."""
        evidence = self._evidence
        engine, config = fresh_engine(evidence.plan, evidence.host.connection.venue.capabilities)
        self.tried["P8"] += 1 + evidence.restarts
        try:
            recover(folder, engine, config)
        except TradecoreError as error:
            self._find("P8", str(error))
            return
        if engine.state_hash() != evidence.host.engine.state_hash():
            self._find("P8", "the state after a replay is not that of the engine which wrote the journal")

    def _rows(self) -> list[OrderRow]:
        return [deed for deed in self._evidence.exchange.truth if isinstance(deed, OrderRow)]
