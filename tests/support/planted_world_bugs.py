"""Faults that a simulation finds only where the world is as bad as it can be: each patches what it breaks.

Of each row there are two at least. `PROMISE_OF` says which promise has to name it.
"""

import asyncio
from collections import deque
from types import SimpleNamespace

import msgspec

from tradecore.domain import Matching, VenueSpec
from tradecore.domain.spec import SequenceRule
from tradecore.proof import host
from tradecore.runtime.live.allowance import Allowance, Leave
from tradecore.runtime.live.budget import BudgetRules, RequestBudget
from tradecore.runtime.live.unasked import Unasked
from tradecore.runtime.live.venue_link import VenueLink
from tradecore.runtime.system_clock import SystemClock
from tradecore_api.safety_stops import SafetyWatch


def requests_matched_by_the_order_of_their_tasks(monkeypatch):
    """A request is taken from a line as its task begins: it is the right one while tasks begin in order."""
    send, waiting = VenueLink._send, deque()

    def sending(self, wanted):
        waiting.append(wanted.request)
        return begin(self, wanted)

    async def begin(self, wanted):
        request = waiting.popleft()
        await send(self, msgspec.structs.replace(wanted, request=request))

    monkeypatch.setattr(VenueLink, "_send", sending)


def words_handed_over_by_tasks_of_their_own(monkeypatch):
    """What a venue tells goes to the engine by a task each, which nobody lines up."""
    hear = VenueLink._hear

    def patched(self, words):
        async def later(word):
            hear(self, [word])

        for word in words:
            asyncio.get_running_loop().create_task(later(word))

    monkeypatch.setattr(VenueLink, "_hear", patched)


def _with_instruments(monkeypatch, **changed):
    """Let the engine be told something else about its instruments than what is so."""
    made = host.EngineSpec

    def patched(*, instruments, **others):
        other = tuple(msgspec.structs.replace(each, **changed) for each in instruments)
        return made(instruments=other, **others)

    monkeypatch.setattr(host, "EngineSpec", patched)


def numbers_of_messages_not_looked_at(monkeypatch):
    """Each book message is applied, whatever its number is."""
    _with_instruments(monkeypatch, sequence=SequenceRule.NONE)


def books_that_never_grow_old(monkeypatch):
    """A book counts as right however long it had no message."""
    _with_instruments(monkeypatch, book_age_ns_max=None)


def orders_judged_by_quotes_alone(monkeypatch):
    """An order is approved whatever its book is."""
    monkeypatch.setattr(host, "VenueSpec", lambda matching: VenueSpec(matching=Matching.QUOTES))


def a_clock_that_follows_the_one_on_the_wall(monkeypatch):
    """The engine's time is what people set."""

    def patched(self, wall_ns, monotonic_ns):
        self.now_ns = wall_ns

    monkeypatch.setattr(SystemClock, "__init__", patched)


def jumps_of_the_clock_passed_over(monkeypatch):
    """A clock that was set pauses nothing."""
    monkeypatch.setattr(SafetyWatch, "_of_clock", lambda self, seen: ())


def a_budget_that_begins_full_at_each_start(monkeypatch):
    """What is left of the venue's limit is not kept."""
    monkeypatch.setattr(host, "SharedBudget", lambda path, rules: RequestBudget(rules))


def nothing_kept_for_cancels(monkeypatch):
    """Orders and questions may use up all of the budget."""

    def patched(venue):
        return msgspec.structs.replace(BudgetRules.of(venue), reserve=0.0)

    monkeypatch.setattr(host, "BudgetRules", SimpleNamespace(of=patched))


def questions_that_weigh_nothing_more_than_orders(monkeypatch):
    """Each request counts as one, whatever the venue says."""
    made = Allowance.__init__

    def patched(self, budget, weights, window_ns):
        made(self, budget, {}, window_ns)

    monkeypatch.setattr(Allowance, "__init__", patched)


def light_questions_that_pass_a_heavy_one(monkeypatch):
    """What finds no room is tried again behind all that does."""

    def patched(self, more, ask):
        questions = dict.fromkeys((*self._waiting, *more))
        out = [each for each in questions if ask(type(each)) is Leave.GO]
        self._waiting = {each: None for each in questions if each not in out}
        return out

    monkeypatch.setattr(Unasked, "let_out", patched)


PROMISE_OF = {
    requests_matched_by_the_order_of_their_tasks: "P40",
    words_handed_over_by_tasks_of_their_own: "P40",
    numbers_of_messages_not_looked_at: "P20",
    books_that_never_grow_old: "P20",
    orders_judged_by_quotes_alone: "P20",
    a_clock_that_follows_the_one_on_the_wall: "P36",
    jumps_of_the_clock_passed_over: "P36",
    a_budget_that_begins_full_at_each_start: "P23",
    nothing_kept_for_cancels: "P23",
    questions_that_weigh_nothing_more_than_orders: "P23",
    light_questions_that_pass_a_heavy_one: "P19",
}
