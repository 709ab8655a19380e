"""One way to measure: ours and a plain baseline in turn, in one process; the bench checks the answers."""

import gc
import statistics
import time
from collections.abc import Callable

import pytest


class Comparison:
    """Measures one workload; made by the fixture `compare`.

    `full` tells whether this is a measurement; else the bench runs once, small, as a test.
    """

    def __init__(self, benchmark) -> None:
        self._benchmark = benchmark
        self.full = not benchmark.disabled

    def size(self, full: int, small: int) -> int:
        """Choose how much work to do."""
        return full if self.full else small

    def __call__(
        self,
        workload: str,
        ours: Callable[..., object],
        baseline: Callable[[], object],
        *,
        prepare: Callable[[], object] | None = None,
        amount: int,
        unit: str,
        plain: str,
        goal: float,
        first_line: float | None = None,
        rounds: int = 3,
    ) -> tuple[object, object]:
        """Run both in turn, note the medians per second, and give back both answers.

        Parameters
        ----------
        workload : str
            Name in the table.
        ours, baseline : callable
            Do the whole work and give the answer. `baseline` takes nothing; `ours` what `prepare` made.
        prepare : callable, optional
            Makes what `ours` needs anew before each round, outside of the measured time.
        amount : int
            How many units one call handles.
        unit : str
            What is counted, e.g. `bars/s`.
        plain : str
            What the baseline is, in a few words.
        goal : float
            What is aimed at, in `unit`.
        first_line : float, optional
            What must be reached already, in `unit`.
        rounds : int
            How often each is run.
        """
        seconds: list[float] = []
        answers: list[object] = []

        def before_each_round() -> tuple[tuple[object, ...], dict[str, object]]:
            gc.collect()
            start = time.perf_counter()
            answers[:] = [baseline()]
            seconds.append(time.perf_counter() - start)
            return (() if prepare is None else (prepare(),)), {}

        result = self._benchmark.pedantic(ours, setup=before_each_round, rounds=rounds, iterations=1)
        self._benchmark.extra_info.update(
            workload=workload,
            unit=unit,
            amount=amount,
            plain=plain,
            plain_value=amount / statistics.median(seconds),
            goal=goal,
            first_line=first_line,
        )
        return result, answers[0]

    def note(self, **facts: object) -> None:
        """Keep further figures with the result, such as percentiles."""
        self._benchmark.extra_info.update(facts)


@pytest.fixture
def compare(benchmark) -> Comparison:
    """Give the one way to measure."""
    return Comparison(benchmark)
