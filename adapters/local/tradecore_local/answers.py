"""What an answer of the venue proves about a request."""

from collections.abc import Mapping

import msgspec

from tradecore.domain.quoted import cut, printable
from tradecore.domain.unreadable import UNREADABLE
from tradecore.domain.venue_errors import ErrorClass, ErrorTable, Proof
from tradecore.domain.venue_requests import Answer, Lost, Taken
from tradecore_local import wire

SECOND_NS = 1_000_000_000
_SHOWN_MAX = 200
_RETRY_AFTER_DEFAULT_NS = SECOND_NS
_TOO_MANY = 429
ERRORS = ErrorTable(
    [
        *(
            ErrorClass(code=code, proves=Proof.DECLINED, reason=code, about=about)
            for code, about in (
                ("would_take", "a post-only order would trade at once"),
                ("cannot_fill_whole", "a fill-or-kill order finds too little"),
                ("no_liquidity", "a market order finds nothing"),
                ("insufficient_margin", "there is not enough money, or not enough to sell"),
                ("unknown_order", "no order is open under this name"),
                ("unsupported", "the venue does not have it, or not in this market"),
            )
        ),
        *(
            ErrorClass(code=code, proves=Proof.DECLINED, reason="not_permitted", about=about)
            for code, about in (
                ("unknown_key", "no key has this id"),
                ("wrong_signature", "the signature does not fit the request"),
                ("no_right", "the key may not do this"),
            )
        ),
        ErrorClass(
            code="outside_window",
            proves=Proof.NOT_DONE,
            about="its time is too far from the venue's; signed anew it may be in time",
        ),
        ErrorClass(
            code="too_many_requests",
            proves=Proof.NOT_DONE,
            about="429: it was not read; `Retry-After` says when",
        ),
        ErrorClass(
            code="duplicate_id",
            proves=Proof.LOST,
            about="this client order id was seen before: the order there may be this very one",
        ),
        ErrorClass(
            code="nonce_used", proves=Proof.LOST, about="this request was seen before: the first one may live"
        ),
    ]
)


# Refusals whose code is the reason itself: the words alone say enough.
_OF_AN_ORDER = frozenset(each.code for each in ERRORS.classes if each.reason == each.code)


def answer_of(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Say what an answer to an order, a cancel or an amendment proves.

    - 200 with an order: the venue has it.
    - A refusal in its own words: nothing was changed, and will not be.
    - 429: nothing was done. So has a request whose timestamp is too old.
    - Everything else proves nothing: 5xx, a page of HTML, half an answer. `duplicate_id` and `nonce_used`
      say that the venue has seen this order or this request before, so the first one may well live.
    """
    if status == _TOO_MANY:
        return ERRORS.answer("too_many_requests", "too many requests", retry_after_ns=retry_after_ns(headers))
    shown = f"answered {status}: {cut(printable(body.decode(errors='replace')), _SHOWN_MAX)}"
    try:
        if status == 200:
            order = msgspec.json.decode(body, type=wire.OrderAnswer).order
            return Taken(venue_order_id=order.venue_order_id)
        if not 400 <= status < 500:
            return Lost(words=shown)
        problem = msgspec.json.decode(body, type=wire.Problem)
    except UNREADABLE:
        return Lost(words=shown)
    words = problem.words if problem.code in _OF_AN_ORDER else f"{problem.code}: {problem.words}"
    return ERRORS.answer(problem.code, words)


def retry_after_ns(headers: Mapping[str, str]) -> int:
    """Return how long the venue asks to wait; a second where it does not say it."""
    seconds = headers.get("Retry-After", "")
    if seconds.isascii() and seconds.isdigit() and len(seconds) < 10:
        return int(seconds) * SECOND_NS
    return _RETRY_AFTER_DEFAULT_NS
