"""Journal records for tests: what a test does not say about one has a plain value."""

from typing import Any, get_origin, get_type_hints

import msgspec

from tradecore.domain.record import JournalRecord
from tradecore.domain.record_bodies import BODIES, MAKERS, Body

_PLAIN = {int: 0, str: "", bool: False, float: 0.0}


def body(kind: str, **fields: Any) -> Body:
    """Make what a record of a kind says."""
    kinds = get_type_hints(BODIES[kind])
    plain = {name: _plain(kinds[name]) for name in _required(kind)}
    made: Body = MAKERS[kind](**{**plain, **fields})
    return made


def record(kind: str, seq: int = 0, time_ns: int = 0, **fields: Any) -> JournalRecord:
    """Make a record of a kind."""
    made: Any = body(kind, **fields)
    return JournalRecord(seq=seq, time_ns=time_ns, body=made)


def _required(kind: str) -> list[str]:
    return [field.name for field in msgspec.structs.fields(BODIES[kind]) if field.required]


def _plain(kind: Any) -> Any:
    return _PLAIN.get(kind, [] if get_origin(kind) in (list, tuple) else "")
