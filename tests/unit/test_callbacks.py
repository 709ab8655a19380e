"""Callbacks are checked before a run: names, and what they are called with."""

import pytest

from tradecore.domain import ConfigError, EngineSpec, InstrumentSpec, InvalidValueError
from tradecore.engine import Engine
from tradecore.strategy import (
    CALLBACKS,
    StrategyBinding,
    build,
    has_callbacks,
    signature_problems,
    unknown_callbacks,
)


class Good:
    """Every way in which a callback may be written."""

    def on_start(self, ctx):
        """Do nothing."""

    def on_bar(self, ctx, bar, note="x"):
        """Do nothing."""

    def on_quote(self, *arguments):
        """Do nothing."""

    @staticmethod
    def on_book(ctx, book):
        """Do nothing."""

    @classmethod
    def on_trade(cls, ctx, trade):
        """Do nothing."""

    on_fill = staticmethod(lambda ctx, fill: None)
    on_timer = None


class Bad:
    """Every way in which one is wrong."""

    def on_start(self):
        """Do nothing."""

    def on_bar(self, bar):
        """Do nothing."""

    def on_quote(self, ctx, quote, depth):
        """Do nothing."""

    async def on_book(self, ctx, book):
        """Do nothing."""

    def on_trade(self, ctx, trade):
        """Run nothing."""
        yield trade

    def on_fill(self, ctx, fill, *, note):
        """Do nothing."""

    def on_order(ctx, update):  # noqa: N805 # what is wrong here
        """Do nothing."""

    on_timer = 5


def test_what_the_engine_can_call_is_no_problem():
    """Defaults, static and class methods, lambdas and starred arguments are taken as they are."""
    assert signature_problems(Good()) == []


def test_each_wrong_callback_is_told_with_its_line_and_the_signature_it_should_have():
    """All of them at once."""
    problems = dict(signature_problems(Bad()))
    line = Bad.on_bar.__code__.co_firstlineno

    assert set(problems) == {
        "on_start",
        "on_bar",
        "on_quote",
        "on_book",
        "on_trade",
        "on_fill",
        "on_order",
        "on_timer",
    }
    assert f"write def on_bar(self, ctx, bar) (test_callbacks.py line {line})" in problems["on_bar"]
    assert "write def on_start(self, ctx)" in problems["on_start"]
    assert "must not be async" in problems["on_book"]
    assert "must not be a generator" in problems["on_trade"]
    assert problems["on_timer"] == "is 5, but must be a method: def on_timer(self, ctx, timer_id)"


@pytest.mark.parametrize(
    ("said", "is_good"),
    [
        ((), True),
        (1, True),
        ((2, 1), True),
        ([2, 1], True),
        (2**63 - 1, True),
        (None, False),
        ("2", False),
        (1.0, False),
        (True, False),
        (-1, False),
        ((2, "1"), False),
        ((2**63,), False),
    ],
)
def test_versions_of_a_state_that_are_none_are_found_before_the_run(said, is_good):
    """Else the first snapshot would end the run, and the next start would not begin."""
    strategy = Good()
    strategy.state_versions = said
    assert [name for name, _ in signature_problems(strategy)] == ([] if is_good else ["state_versions"])


def test_a_wrong_callback_is_found_before_the_run():
    """By the loader with the key of the configuration, by the engine for who builds it in code."""
    with pytest.raises(ConfigError, match=r"a.toml: strategy.class = 'Bad': on_start takes other .*; on_bar"):
        build(Bad, {}, source="a.toml")
    spec = EngineSpec(instruments=(InstrumentSpec(symbol="ABC", tick_size="1"),))
    with pytest.raises(
        InvalidValueError, match=r"strategies\[0\].on_start 'Bad': .*write def on_start\(self, ctx\)"
    ):
        Engine(spec, [StrategyBinding(name="mine", strategy=Bad())])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("on_barr", "on_bar"),
        ("onBar", "on_bar"),
        ("On_Quote", "on_quote"),
        ("on_fills", "on_fill"),
        ("on_candle", "on_bar"),
        ("next", "on_bar"),
        ("populate_exit_trend", "on_bar (ctx.close)"),
    ],
)
def test_a_name_that_reads_like_a_callback_is_told_with_the_one_that_was_meant(name, meant):
    """Nothing calls it, whatever case and underscores it has."""
    strategy = type("Mine", (), {name: lambda self, ctx, what: None})()
    (told,) = unknown_callbacks(strategy)

    assert told.startswith(f"nothing calls {name} (test_callbacks.py line ")
    assert told.endswith(f": did you mean {meant}?")


def test_a_name_like_no_callback_is_told_with_all_of_them():
    """Where none is near, the list is the answer."""
    (told,) = unknown_callbacks(type("Mine", (), {"on_my_own": lambda self: None})())
    assert told.endswith(f"the callbacks are {', '.join(CALLBACKS)}")


def test_a_method_that_the_strategy_itself_calls_is_not_told():
    """Directly, in a function inside a method, or by its name as text; inherited ones too."""

    class Parent:
        def on_signal(self): ...

        def on_reply(self): ...

        def on_choice(self): ...

    class Child(Parent):
        def on_bar(self, ctx, bar):
            self.on_signal()
            getattr(self, "on_choice")()  # noqa: B009 # the name as text is what is tried
            return [self.on_reply for _ in range(1)]

    assert unknown_callbacks(Child()) == []
    assert len(unknown_callbacks(Parent())) == 3


def test_a_strategy_that_nothing_calls_is_known():
    """Its start and its end are no calls about the market."""
    assert has_callbacks(Good())
    assert not has_callbacks(type("Idle", (), {"on_start": lambda self, ctx: None})())
