"""How the line to a venue is set."""

import msgspec

from tradecore.runtime.live.adoption import Owners
from tradecore.runtime.live.retries import ReportTimes, Retries


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long the line waits.

    Attributes
    ----------
    answer_seconds_max : float
        How long an answer to a request may take before its outcome counts as lost.
    report_times : ReportTimes
        How long a report of what the venue took may take before it is asked about.
    retries : Retries
        How often and how soon what did not happen is sent, or asked, again.
    query_seconds_max : float
        How long an answer to a question may take.
    check_seconds : float
        How long after books and venue agreed they are compared again; 0 for never.
    takes_short_lookback : bool
        Go on where the venue does not show fills far enough back.
    epoch : int
        How many times the account began anew: a part of the names of its orders.
    owners : Owners
        Whose it is what others make at the account.
    dead_man_ns, keeps_dead_man : int, bool
        After which silence the venue ends all orders, 0 for never; and whether after a clean end too.
    """

    answer_seconds_max: float = 10.0
    report_times: ReportTimes = ReportTimes()
    retries: Retries = Retries()
    query_seconds_max: float = 10.0
    check_seconds: float = 60.0
    takes_short_lookback: bool = False
    epoch: int = 0
    owners: Owners = Owners()
    dead_man_ns: int = 30_000_000_000
    keeps_dead_man: bool = False
