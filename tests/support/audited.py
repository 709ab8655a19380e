"""Journals as the auditor's records, and audits of records that were edited."""

from pathlib import Path

import msgspec

from tradecore_audit import records as r
from tradecore_audit.audit import Audit
from tradecore_audit.auditor import Auditor
from tradecore_audit.frames import Taken, records_of
from tradecore_audit.walk import Walk

GOLDEN = Path(__file__).parents[1] / "replay" / "golden" / "behaviour-4"


def records(path):
    """Return the records of a journal that count."""
    walk = Walk(path, has_hashes=False)
    found = []
    while blocks := walk.batch():
        for block in blocks:
            found += records_of(block.first_seq, block.frames)
    walk.close()
    return found


def frames_in(data):
    """Cut bytes into frames."""
    found, at = [], 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "little")
        found.append(data[at:end])
        at = end
    return found


def audited(taken):
    """Audit records as they are, or as they were edited, and return the auditor."""
    auditor = Auditor()
    for each in taken:
        auditor.take(each)
    auditor.end()
    return auditor


def rules(taken):
    """Return the rules that an audit of records finds broken."""
    return {finding.rule for finding in audited(taken).findings.kept}


def first(taken, kind, where=lambda body: True):
    """Return the place of the first record of a kind for which something is so."""
    return next(at for at, each in enumerate(taken) if isinstance(each.body, kind) and where(each.body))


def edited(taken, at, **changes):
    """Return the records with other values in one of them."""
    body = msgspec.structs.replace(taken[at].body, **changes)
    return [*taken[:at], taken[at]._replace(body=body), *taken[at + 1 :]]


def without(taken, at):
    """Return the records without one of them."""
    return [*taken[:at], *taken[at + 1 :]]


def doubled(taken, at, count=1):
    """Return the records with some of them told twice."""
    return [*taken[: at + count], *taken[at : at + count], *taken[at + count :]]


def inserted(taken, at, body):
    """Return the records with one more before a place."""
    return [*taken[:at], Taken(taken[at].seq, taken[at].time_ns, body), *taken[at:]]


def with_risk(taken, **limits):
    """Return the records with other limits of `[risk]` in the configuration."""
    said = msgspec.json.decode(taken[0].body.config)
    said["engine"]["risk"] |= limits
    return edited(taken, 0, config=msgspec.json.encode(said))


def with_mode(taken, mode):
    """Return the records as if they were of another mode."""
    said = msgspec.json.decode(taken[0].body.config)
    said["engine"]["mode"] = mode
    return edited(taken, 0, config=msgspec.json.encode(said))


def fill(taken, number=0):
    """Return the place of a fill that was booked: the first one, or one after it."""
    places = [
        at
        for at, each in enumerate(taken)
        if isinstance(each.body, r.Report) and each.body.traded is not None
    ]
    return places[number]


def with_trade(taken, at, **changes):
    """Return the records with other numbers of a fill."""
    return edited(taken, at, traded=msgspec.structs.replace(taken[at].body.traded, **changes))


def report_of(path):
    """Audit a journal to its end, and return the report."""
    audit = Audit(path)
    audit.catch_up()
    audit.settle()
    audit.close()
    return audit.report()
