"""Several strategies, a venue and an operator at random, beside books in whole numbers, event by event."""

import random
import time
from collections.abc import Callable

from promises.stateful.books import Known, Limits, PlainBooks
from promises.stateful.desk import ATTO, MARK, Desk
from promises.stateful.life import Life
from tradecore.domain.journal import decode_frames
from tradecore.domain.spec import RiskSpec, ScopeRiskSpec, StrategyRiskSpec

STRATEGIES, INSTRUMENTS = 4, 2
# So many events at one engine, then another one with other limits.
EVENTS = 2_000
# The share of engines at which an operator closes positions, too.
FLATTENED = 0.25
# The share of wishes that may only close.
BOUND = 0.15
_OPEN_MAX = 14
_SIDES = {1: "buy", -1: "sell"}
_ENDS = ("canceled", "expired")
# What a venue may say of an order that waits for something, by what that is.
_ANSWERS = {
    "new": ("accepted", "accepted", "accepted", "rejected"),
    "cancel": ("canceled", "canceled", "cancel_rejected"),
    "replace": ("replaced", "replaced", "replace_rejected"),
    "doubt": ("accepted", "canceled", "replace_rejected"),
    "": ("accepted", "triggered", "expired"),
}
_REASONS = {"rejected": "unsupported", "canceled": "requested"}


def limits_of(draw: random.Random) -> Limits:
    """Draw limits so narrow that they are reached all the time."""
    position = draw.randint(6, 30)
    return Limits(
        quantity=draw.randint(5, 12),
        position=position,
        open_orders=draw.randint(3, 8),
        gross=MARK * draw.randint(position, 2 * position + 6),
        of_first=draw.randint(3, position),
    )


def risk_of(limits: Limits) -> RiskSpec:
    """Return limits as an engine takes them."""
    return RiskSpec(
        quantity_max=str(limits.quantity),
        position_max=str(limits.position),
        open_orders_max=limits.open_orders,
        account=ScopeRiskSpec(gross_max=str(limits.gross)),
        strategy={"s0": StrategyRiskSpec(position_max=str(limits.of_first))},
    )


class Crowd:
    """Lets things happen at random, and looks after each at what is true.

    Parameters
    ----------
    seed : int
        Decides all of it.
    steps_max : int
        How many events.
    ends_at : float
        After this moment of the monotonic clock none is begun.

    Attributes
    ----------
    steps, asked, refused, told, revised : int
        Events; wishes with an answer known before, how many were refused; reports; trades told anew.
    engines : int
        How many engines there were.
    broken : list of str
        Where engine and books differ: the seed of the engine, the event, and both.
    """

    def __init__(self, seed: int, steps_max: int, ends_at: float) -> None:
        self._seed, self._steps_max, self._ends_at = seed, steps_max, ends_at
        self.steps = self.asked = self.refused = self.told = self.revised = self.engines = 0
        self.broken: list[str] = []
        self.races_broken: list[str] = []
        self.on_event: Callable[[str], object] = lambda _: None

    @property
    def all_broken(self) -> list[str]:
        """Everything that was found."""
        return [*self.broken, *self.races_broken]

    def run(self, make=Desk) -> None:
        """Go on until there were enough events; `make` makes the engines."""
        while self.steps < self._steps_max and time.monotonic() < self._ends_at:
            self.engines += 1
            self.live(self._seed * 1_000_000 + self.engines, make)

    def live(self, seed: int, make=Desk) -> None:
        """Let one engine live for its events."""
        draw = random.Random(f"crowd/{seed}")
        limits = limits_of(draw)
        desk = make(STRATEGIES, INSTRUMENTS, risk_of(limits))
        scene = Scene(draw, desk, PlainBooks(limits, STRATEGIES, INSTRUMENTS))
        desk.engine.take_frames()
        for number in range(EVENTS):
            if self.steps >= self._steps_max or time.monotonic() > self._ends_at:
                break
            words = scene.step()
            self.steps += 1
            self.on_event(f"{number}: {words}")
            fault = scene.fault()
            if fault or scene.wrong_answer:
                where = f"crowd, engine {seed}, event {number}, {words}"
                if scene.wrong_answer:
                    self.races_broken.append(f"{where}: {scene.wrong_answer}")
                else:
                    self.broken.append(f"{where}: {fault}")
                break
        self.asked += scene.asked
        self.refused += scene.refused
        self.told += scene.told
        self.revised += scene.revised


class Scene:
    """One engine, and the books beside it.

    Parameters
    ----------
    draw : Random
        Decides what happens.
    desk : Desk
        The engine.
    books : PlainBooks
        What is true.
    """

    def __init__(self, draw: random.Random, desk: Desk, books: PlainBooks) -> None:
        self._draw, self._desk, self._books = draw, desk, books
        self.asked = self.refused = self.told = self.revised = 0
        self.wrong_answer = ""
        self._trades = 0
        # At some engines an operator closes positions, which holds until the market has moved, or longer.
        self._is_flattening = False
        self._flattens = draw.random() < FLATTENED
        self._weights = {
            self._submit: 30,
            self._amend: 8,
            self._cancel: 8,
            self._answer: 30,
            self._fill: 24,
            self._fill_late: 2,
            self._fill_too_much: 1,
            self._lose: 3,
            self._say_untrue: 1,
            self._repeat: 3,
            self._revise: 4,
            self._move: 4,
            self._command: 3,
            self._agree: 3,
        }

    def step(self) -> str:
        """Let one thing happen, and say what it was."""
        (what,) = self._draw.choices(list(self._weights), list(self._weights.values()))
        if self._books.is_unreconciled and self._draw.random() < 0.3:
            what = self._agree
        words = what() or self._move()
        self._follow()
        return words

    def _open(self) -> Known | None:
        orders = list(self._books.orders.values())
        return self._draw.choice(orders) if orders else None

    def _submit(self):
        books, draw = self._books, self._draw
        if len(books.orders) >= _OPEN_MAX:
            return ""
        strategy, instrument = draw.randrange(STRATEGIES), draw.randrange(INSTRUMENTS)
        sign, lots = draw.choice((1, -1)), draw.randint(1, books.limits.quantity + 1)
        is_bound = draw.random() < BOUND
        expected = books.refusal(strategy, instrument, sign, lots, is_bound=is_bound)
        answer = self._desk.asks(
            strategy,
            _SIDES[sign],
            quantity_lots=lots,
            limit_ticks=draw.randint(95, 105),
            instrument_id=instrument,
            reduce_only=is_bound,
        )
        # What an operator closes, strategies do not: how much is spoken for, the engine alone knows.
        if not (is_bound and self._is_flattening):
            self._judge(expected, answer)
        only = ", only to close" if is_bound else ""
        return f"strategy {strategy} {_SIDES[sign]} {lots} of {instrument}{only}"

    def _judge(self, expected, answer):
        """Hold an answer against the one that was known before."""
        self.asked += 1
        found = "" if answer else answer.rule
        self.refused += bool(found)
        if found != ("" if expected == "bound" else expected):
            self.wrong_answer = f"risk says {found or 'yes'!r}, the books {expected or 'yes'!r}"

    def _amend(self):
        books, order = self._books, self._open()
        if order is None:
            return ""
        lots = self._draw.randint(1, books.limits.quantity + 1)
        expected = books.refusal(order.strategy, order.instrument, order.sign, lots, order)
        is_ending = order.life.waits in {"cancel", "doubt"}
        if order.market or (is_ending and expected in {"", "bound"}):
            expected = "invalid_order"
        answer = self._desk.asks(
            order.strategy,
            "replace",
            order.number,
            quantity_lots=lots,
            price_ticks=self._draw.randint(95, 105),
        )
        if self._is_flattening:
            # As with a new one that may only close.
            order.bound = self._desk.is_bound(order.number)
        else:
            self._judge(expected, answer)
            order.bound |= bool(answer) and expected == "bound"
        return f"amend {order.number} to {lots}"

    def _cancel(self):
        order = self._open()
        if order is None:
            return ""
        self._desk.asks(order.strategy, "cancel", order.number)
        return f"cancel {order.number}"

    def _answer(self):
        order = self._open()
        if order is None:
            return ""
        event = self._draw.choice(_ANSWERS[order.life.waits])
        if event == "rejected" and order.life.filled:
            event = "accepted"
        lots = self._draw.choice(order.life.asked) if event == "replaced" and order.life.asked else 0
        if event == "replaced" and not lots:
            event = "replace_rejected"
        return self._tell(order, event, lots)

    def _tell(self, order, event, lots=0):
        self.told += 1
        self._books.take(order, event, lots)
        self._desk.tells(
            order.number,
            event,
            instrument=order.instrument,
            lots=lots,
            reason=_REASONS.get(event, "unknown_order"),
        )
        return f"{event} {lots} of {order.number}"

    def _fill(self):
        order = self._open()
        if order is None or not order.life.open:
            return ""
        return self._trade(order, self._draw.randint(1, order.life.open))

    def _trade(self, order, lots):
        self._trades += 1
        self.told += 1
        name, price, fee = f"t{self._trades}", self._draw.randint(90, 110), self._draw.randint(-2, 5)
        self._books.take(order, "fill", lots, price)
        self._books.trade(order, name, lots, price, fee)
        self._tell_trade(order, name, "fill", lots=lots, price_ticks=price, fee_atto=fee)
        return f"fill {lots} of {order.number}"

    def _tell_trade(self, order, name, report, **terms):
        self._desk.tells(order.number, report, instrument=order.instrument, trade_id=name, **terms)

    def _fill_late(self):
        ended = [order for order in self._books.ended if order.life.open > 0 and order.life.end in _ENDS]
        if not ended:
            return ""
        order = self._draw.choice(ended)
        return self._trade(order, self._draw.randint(1, order.life.open)) + ", late"

    def _fill_too_much(self):
        order = self._open()
        if order is None:
            return ""
        return self._trade(order, order.life.stake + self._draw.randint(1, 2)) + ", too much"

    def _lose(self):
        order = self._open()
        if order is None:
            return ""
        self._books.take(order, "outcome_lost")
        self._desk.loses(order.number, order.instrument)
        return f"lose the answer of {order.number}"

    def _say_untrue(self):
        orders = [order for order in self._books.orders.values() if order.life.filled]
        return self._tell(self._draw.choice(orders), "rejected") if orders else ""

    def _traded(self):
        found = [
            (order, name)
            for order in (*self._books.orders.values(), *self._books.ended)
            for name in order.trades
        ]
        return self._draw.choice(found) if found else (None, "")

    def _repeat(self):
        order, name = self._traded()
        if order is None or order.trades[name][-1]:
            return ""
        lots, price, fee, _ = order.trades[name]
        self.told += 1
        self._tell_trade(order, name, "fill", lots=lots, price_ticks=price, fee_atto=fee)
        return f"trade {name} of {order.number} again"

    def _revise(self):
        order, name = self._traded()
        if order is None:
            return ""
        was_lots, price, fee, revision = order.trades[name]
        lots = self._draw.choice((0, 0, max(was_lots - 1, 0), was_lots))
        price, fee, revision = price + self._draw.choice((-1, 0, 1)), fee + 1, revision + 1
        self.told += 1
        self.revised += 1
        self._books.trade(order, name, lots, price if lots else 0, fee if lots else 0, revision)
        if lots:
            self._tell_trade(
                order, name, "fill", lots=lots, price_ticks=price, fee_atto=fee, revision=revision
            )
        else:
            self._tell_trade(order, name, "busted", revision=revision)
        return f"trade {name} of {order.number} is {lots} now"

    def _move(self):
        instrument, mark = self._draw.randrange(INSTRUMENTS), self._draw.randint(MARK - 4, MARK + 4)
        self._books.marks[instrument] = mark
        self._desk.moves(instrument, mark)
        return f"the market of {instrument} is at {mark}"

    def _command(self):
        books = self._books
        if books.is_paused or books.is_killed:
            name = "release_kill" if books.is_killed else "resume"
        else:
            names = (
                "pause",
                "kill",
                "cancel_all",
                "limit",
                "limit",
                *(("flatten",) if self._flattens else ()),
            )
            name = self._draw.choice(names)
        books.is_paused = name == "pause" or (books.is_paused and name != "resume")
        books.is_killed = name == "kill" or (books.is_killed and name != "release_kill")
        if name == "flatten":
            self._is_flattening = True
        if name != "limit":
            self._desk.commands(name)
            return name
        instrument, lots = self._draw.randrange(INSTRUMENTS), self._draw.randint(6, 30)
        books.position_max[instrument] = lots
        words = {"scope": "instrument", "scope_id": instrument, "limit": "position_max", "person": "Ada"}
        self._desk.commands("set_limit", value=str(lots), **words)
        return f"the limit of {instrument} is {lots}"

    def _agree(self):
        self._books.is_unreconciled = False
        self._desk.agrees()
        return "books and venue agree"

    def _follow(self):
        """Take in what the engine sends, as its venue does: orders, cancels, amendments."""
        books = self._books
        for kind, _, fields in decode_frames(self._desk.engine.take_frames()):
            if kind == "order":
                books.orders[fields["order_id"]] = Known(
                    number=fields["order_id"],
                    strategy=fields["strategy"],
                    instrument=fields["instrument"],
                    sign=1 if fields["side"] == "buy" else -1,
                    bound=fields["reduce_only"],
                    market=fields["order_kind"] == "market",
                    life=Life(lots=fields["lots"]),
                )
            elif kind in {"cancel_request", "replace_request"} and fields["order_id"] in books.orders:
                books.take(books.orders[fields["order_id"]], kind, fields.get("lots", 0))

    def fault(self) -> str:
        """Say where engine and books differ; nothing where they are the same."""
        books, kernel = self._books, self._desk.kernel
        for (strategy, instrument), lots in books.held.items():
            if (found := kernel.position_lots(strategy, instrument)) != lots:
                return f"strategy {strategy} holds {found} of {instrument}, its trades are {lots}"
        for instrument in range(INSTRUMENTS):
            if (found := kernel.position_total_lots(instrument)) != books.total(instrument):
                return f"all hold {found} of {instrument}, their trades are {books.total(instrument)}"
        if (found := self._desk.cash()) != books.cash:
            return f"cash is {found}, of the trades {books.cash}"
        if (found := kernel.exposure("account")[0]) != books.gross() * ATTO:
            return f"gross exposure is {found}, of orders and positions {books.gross() * ATTO}"
        shown = {
            row["order_id"]: (
                row["state"],
                row["open_lots"],
                row["filled_lots"],
                row["intent"]["reduce_only"],
            )
            for row in kernel.open_orders()
        }
        expected = {
            number: (order.life.state, order.life.open, order.life.filled, order.bound)
            for number, order in books.orders.items()
        }
        if shown != expected:
            differ = sorted(set(shown.items()) ^ set(expected.items()))
            return f"open orders are {shown}, of the reports {expected}: {differ}"
        switches = (kernel.is_paused, kernel.is_killed, kernel.is_unreconciled)
        if switches != (books.is_paused, books.is_killed, books.is_unreconciled):
            return f"paused, killed, unreconciled are {switches}"
        return ""
