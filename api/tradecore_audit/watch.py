"""An audit that goes on beside an engine: says every difference soon after its record is written."""

import time
from collections.abc import Callable
from pathlib import Path

from tradecore_audit.audit import Audit
from tradecore_audit.errors import AuditError
from tradecore_audit.findings import Finding

SECONDS = 1.0


class Watch:
    """Follows a journal, and the next one that comes into its place; waits for one that is not there yet.

    Parameters
    ----------
    path : path
        The journal.
    has_hashes : bool
        Whether the chain of hashes is worked out anew.
    tell : callable
        Called with each difference, once.
    say : callable
        Called with a remark: which journal is read, and what cannot be read.

    Attributes
    ----------
    audit : Audit or None
        That of the journal that is followed now.
    differences : int
        How many were found in all journals.
    """

    def __init__(
        self, path: Path, *, has_hashes: bool, tell: Callable[[Finding], None], say: Callable[[str], None]
    ) -> None:
        self._path = path
        self._has_hashes = has_hashes
        self._tell = tell
        self._say = say
        self._told = 0
        self._last_words = ""
        self.audit: Audit | None = None
        self.differences = 0

    def look(self, is_ended: Callable[[], bool] | None = None) -> None:
        """Read what has come since the last look, and tell what was found; less of it once `is_ended`."""
        try:
            if self.audit is None:
                if not self._path.exists():
                    self._say_once(f"{self._path}: there is no journal yet; waiting for one")
                    return
                self.audit = Audit(self._path, has_hashes=self._has_hashes)
                self._told = 0
            # Batch by batch, so that what an early one shows is not told after all others.
            has_read = False
            while self.audit.catch_up(1):
                has_read = True
                self._tell_new(self.audit)
                if is_ended is not None and is_ended():
                    return
            if not has_read:
                # What belongs to the last input may be on its way while the writer is at work.
                self.audit.settle()
        except AuditError as error:
            self._say_once(str(error))
            return
        self._tell_new(self.audit)
        if self.audit.is_replaced():
            self._end(self.audit)
            self._say(f"{self._path}: another journal has taken its place; it is read from its beginning")

    def run(self, is_ended: Callable[[], bool], *, every: float = SECONDS) -> None:
        """Look again and again until `is_ended`."""
        while not is_ended():
            began = time.monotonic()
            self.look(is_ended)
            while not is_ended() and time.monotonic() - began < every:
                time.sleep(min(0.1, every))
        if self.audit is not None:
            self.audit.settle()
            self._tell_new(self.audit)

    def _end(self, audit: Audit) -> None:
        audit.settle()
        self._tell_new(audit)
        audit.close()
        self.audit = None

    def _tell_new(self, audit: Audit) -> None:
        findings = audit.auditor.findings
        for finding in findings.kept[self._told :]:
            self._tell(finding)
        self.differences += max(findings.total - self._told, 0)
        self._told = max(findings.total, self._told)

    def _say_once(self, words: str) -> None:
        if words != self._last_words:
            self._last_words = words
            self._say(words)
