"""Which entries wait for a person, in words."""

from tradecore.domain.spec import ApprovalSpec
from tradecore.domain.times import span_text


def approval_words(approval: ApprovalSpec | None, currency: str) -> str:
    """Return which entries wait, and how long; nothing where nobody is asked."""
    if approval is None:
        return ""
    which = "every entry waits"
    if approval.above is not None:
        which = f"an entry worth more than {approval.above} {currency} waits"
    move = f"while the price moves by {approval.price_move_bps} bps at most"
    return f"{which} for a person's yes, {span_text(approval.timeout_ns)} at most, {move}"
