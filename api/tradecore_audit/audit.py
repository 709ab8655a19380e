"""An audit of one journal: reads it, counts it, compares it; can be gone on with while it is written."""

import hashlib
from pathlib import Path

import msgspec

from tradecore_audit import snapshots, truth
from tradecore_audit.auditor import Auditor
from tradecore_audit.errors import DamagedError
from tradecore_audit.findings import Finding
from tradecore_audit.frames import records_of
from tradecore_audit.ground import Ground
from tradecore_audit.snapshots import Standing
from tradecore_audit.truth import VenueLog
from tradecore_audit.walk import Block, Walk


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit comes to.

    Attributes
    ----------
    records : int
        Records of the journal, dropped ones included.
    audited : int
        Records that were counted: all but market data, the time and decisions.
    dropped, segments : int
        Market events that an archive has dropped; files of the journal.
    is_torn : bool
        Whether the journal ends within a block, as after a crash or beside a writer at work.
    head : str
        Head of the chain of hashes.
    mode : str
        Mode of the last session.
    positions : dict
        Lots that are held, by strategy and symbol.
    money : dict
        By balance: cash, fees, flows and realised profit in atto units.
    approved, sent, open_orders, fills : int
        Orders that risk approved, those that left, those that are open, and trades.
    checked : dict
        How often each rule was put to the test.
    unchecked : dict
        What could not be worked out, and why.
    differences : int
        How many there are in all.
    findings : tuple of Finding
        The first of them.
    """

    records: int
    audited: int
    dropped: int
    segments: int
    is_torn: bool
    head: str
    mode: str
    positions: dict[str, int]
    money: dict[str, dict[str, int]]
    approved: int
    sent: int
    open_orders: int
    fills: int
    checked: dict[str, int]
    unchecked: dict[str, str]
    differences: int
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.differences


class Audit:
    """Audits a journal up to its end, and further whenever it has grown.

    Parameters
    ----------
    path : path
        The journal.
    has_hashes : bool
        Whether the chain of hashes is worked out anew.

    Attributes
    ----------
    auditor : Auditor
        What has been worked out.
    origin : str
        Hash of the first record: which journal it is. Empty before that.
    is_over : bool
        Whether nothing more can be read, because of a damage that was found.
    """

    def __init__(self, path: Path, *, has_hashes: bool = True) -> None:
        self._path = path
        self._walk = Walk(path, has_hashes=has_hashes)
        self._has_hashes = has_hashes
        self._snapshots: dict[int, Path] = {}
        # The last snapshot that was looked at, by the number of records that it stands after.
        self._compared = 0
        self.auditor = Auditor()
        self.origin = ""
        self.is_over = False
        self._is_at_end = False

    def catch_up(self, batches_max: int | None = None) -> int:
        """Read what has come since, in so many batches at most, and return how many records that were.

        Raises
        ------
        UnreadableError
            When the operating system does not give the bytes.
        """
        begin = self._walk.seq
        if self.is_over:
            return 0
        known = snapshots.paths(self._walk.path)
        self._snapshots = {seq: path for seq, path in known.items() if seq > self._compared}
        self._is_at_end = False
        batches = 0
        try:
            while batches_max is None or batches < batches_max:
                blocks = self._walk.batch()
                if not blocks:
                    self._is_at_end = True
                    break
                batches += 1
                for block in blocks:
                    self._take(block)
        except DamagedError as error:
            self.is_over = True
            self.auditor.findings.check("journal", self._walk.seq, str(error))
        return self._walk.seq - begin

    def settle(self) -> None:
        """Check what only shows once nothing follows for now."""
        self.auditor.end()
        if not self._is_at_end:
            return
        # They were there before the end was: each is of records that were durable.
        for seq, path in self._snapshots.items():
            if seq > self._walk.seq and self.origin:
                stands = Standing(self.origin, seq, None)
                snapshots.beyond(path, self.auditor.findings, stands, self._walk.seq)
                self._compared = seq
        self._snapshots.clear()

    def is_replaced(self) -> bool:
        """Tell whether another journal has come into the place of this one."""
        return self._walk.is_replaced()

    @property
    def first_account(self) -> str:
        """Name of the first account of the journal; empty before its first session."""
        ground = self.auditor.ground
        return "" if ground is None else ground.settings.accounts[0].name

    def against(self, log: VenueLog, account: str) -> None:
        """Hold the books against the log of a venue, as they are now."""
        ground = self.auditor.ground
        if ground is None:
            self.auditor.findings.leave("venue", "the journal has no session")
        else:
            truth.compare(log, ground, account=account, origin=self.origin)

    def report(self) -> Report:
        """Return what has been worked out."""
        auditor, walk, ground = self.auditor, self._walk, self.auditor.ground
        findings = auditor.findings
        checked = dict(sorted(findings.checked.items()))
        checked |= {"hashes": walk.seq - walk.dropped} if self._has_hashes else {}
        return Report(
            records=walk.seq,
            audited=auditor.records,
            dropped=walk.dropped,
            segments=walk.segments,
            is_torn=walk.is_torn,
            head=walk.head.hex(),
            mode="" if ground is None else ground.settings.mode,
            positions={} if ground is None else _positions(ground),
            money={} if ground is None else _money(ground),
            approved=0 if ground is None else ground.orders.approved,
            sent=0 if ground is None else ground.orders.sent,
            open_orders=0 if ground is None else len(ground.orders.open),
            fills=0 if ground is None else ground.books.fills,
            checked=checked,
            unchecked=dict(findings.unchecked),
            differences=findings.total,
            findings=tuple(findings.kept),
        )

    def close(self) -> None:
        """Let go of the journal."""
        self._walk.close()

    def _take(self, block: Block) -> None:
        if block.first_seq == 0:
            self.origin = hashlib.sha256(block.frames[0]).hexdigest()
        for taken in records_of(block.first_seq, block.frames):
            self.auditor.take(taken)
        for stands_at in [each for each in self._snapshots if each <= block.end]:
            self._compare(stands_at, self._snapshots.pop(stands_at), block)

    def _compare(self, stands_at: int, path: Path, block: Block) -> None:
        """Compare a snapshot that stands after this block, or after one before it and fewer market data."""
        ground, findings = self.auditor.ground, self.auditor.findings
        self._compared = stands_at
        if block.first_seq < stands_at < block.end:
            # An engine makes one where a block ends.
            findings.leave(path.name, snapshots.OTHER_WAY)
        elif ground is not None and stands_at > self.auditor.last_seq:
            head = block.head.hex() if block.head is not None and stands_at == block.end else None
            snapshots.compare(path, ground, Standing(self.origin, stands_at, head))
        else:
            findings.leave("snapshots", "one came after the records behind it were counted")


def _positions(ground: Ground) -> dict[str, int]:
    """Return what is held, by names."""
    settings = ground.settings
    return {
        f"{settings.strategies[strategy]} {settings.instruments[instrument].symbol}": lots
        for (strategy, instrument), lots in sorted(ground.books.positions.items())
        if lots
    }


def _money(ground: Ground) -> dict[str, dict[str, int]]:
    """Return the money of each balance, by names."""
    return {
        name: {
            "cash": purse.cash,
            "fees": purse.fees,
            "flows": purse.flows,
            "brought": purse.brought,
            "cost": purse.inventory,
            "realised": purse.realised,
        }
        for name, purse in zip(ground.settings.currencies, ground.books.purses, strict=True)
    }
