"""Snapshots that earlier formats left: this version goes on from each, and knows the name of every value."""

import gzip
import os
from pathlib import Path

import pytest
from msgspec import msgpack

from support.every_order import plain_market, plain_spec
from support.kept_orders import KeptEveryOrder, KeptEverything
from support.random_orders import SECOND_NS, STRATEGY, events_of, spec_of
from tradecore import Engine, StrategyBinding
from tradecore.domain import Matching
from tradecore.domain.journal import BEHAVIOUR_VERSION
from tradecore.domain.snapshot import Progress, Snapshot, SnapshotHead, StrategyState

GOLDEN = Path(__file__).parent / "golden-snapshots"
# Matching, seed and the step at which each stands; without a seed the plain strategy in a calm market.
RUNS = {
    "bars": (Matching.BARS, 376, 50),
    "quotes": (Matching.QUOTES, 66, 60),
    "book": (Matching.BOOK, 37, 45),
    "exchange": (Matching.EXCHANGE, 342, 25),
    "plain": (Matching.BOOK, None, 60),
}
STEPS_AFTER = 25


def engine_of(matching, seed):
    """Return a fresh engine of a run."""
    latency_ns = 0 if matching is Matching.BARS else 2 * SECOND_NS
    if seed is None:
        strategy, spec = KeptEveryOrder(), plain_spec(matching, latency_ns=latency_ns)
    else:
        strategy, spec = KeptEverything(), spec_of(matching, latency_ns=latency_ns)
        strategy.seed = seed
    binding = StrategyBinding(name=STRATEGY, strategy=strategy, instruments=(0, 1), history=20)
    return Engine(spec, [binding], recording=True)


def batches(matching, seed, until):
    """Return the steps of a run's market."""
    return list((plain_market if seed is None else events_of)(matching, seed, until))


def step(engine, batch):
    """Feed a batch, run it, and return the frames."""
    engine.feed(batch)
    engine.run()
    return engine.take_frames()


def at_its_step(name):
    """Return the engine of a run where its snapshot stands."""
    matching, seed, until = RUNS[name]
    engine = engine_of(matching, seed)
    for batch in batches(matching, seed, until):
        step(engine, batch)
    return engine


def made(name):
    """Return the snapshot of a run as this version makes it."""
    engine = at_its_step(name)
    kept = engine.keep()
    head = SnapshotHead(
        journal="",
        seq=0,
        head="",
        behaviour=BEHAVIOUR_VERSION,
        version="golden",
        state_hash=kept.state_hash,
        time_ns=kept.time_ns,
        progress=Progress(),
        strategies=(StrategyState(name=STRATEGY, code="", state=kept.states[0]),),
    )
    return Snapshot(head, kept.body)


def names_in(value, path=""):
    """Yield the path of every name in a snapshot; numbers and places in lists are left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            here = f"{path}.{key}" if isinstance(key, str) else path
            if isinstance(key, str):
                yield here
            yield from names_in(inner, here)
    elif isinstance(value, list):
        for inner in value:
            yield from names_in(inner, path)


def write():
    """Write the snapshots of this format, and the names of their values."""
    first = msgpack.decode(made("bars").body)
    folder = GOLDEN / f"format-{first['format']}"
    folder.mkdir(parents=True, exist_ok=True)
    for name in RUNS:
        data = gzip.compress(made(name).encoded(), mtime=0)
        (folder / f"{name}.snapshot.gz").write_bytes(data)
    (GOLDEN / "names.txt").write_text("".join(f"{name}\n" for name in sorted(all_names())))


def all_names():
    """Return the name of every value in the snapshots of this version."""
    return {found for name in RUNS for found in names_in(msgpack.decode(made(name).body))}


# Right only when the format is raised, or the names of its values change on purpose.
if "TRADECORE_WRITE_GOLDEN" in os.environ:
    write()
FORMATS = sorted(GOLDEN.glob("format-*"))


def test_there_is_a_folder_for_each_format():
    """Whoever raises the format keeps snapshots of the one before."""
    assert [path.name for path in FORMATS] == [
        f"format-{number}" for number in range(1, msgpack.decode(made("bars").body)["format"] + 1)
    ]


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("folder", FORMATS, ids=lambda path: path.name)
def test_an_earlier_snapshot_is_gone_on_from(folder, name):
    """The state, and every frame of what comes after, are those of an engine that ran from the beginning."""
    data = gzip.decompress((folder / f"{name}.snapshot.gz").read_bytes())
    snapshot = Snapshot.decoded(data, name)
    matching, seed, until = RUNS[name]
    whole, again = at_its_step(name), engine_of(matching, seed)
    is_foreign = snapshot.head.behaviour != BEHAVIOUR_VERSION
    again.go_on(snapshot.body, [each.state for each in snapshot.head.strategies], is_foreign=is_foreign)
    assert again.kernel.open_orders() == whole.kernel.open_orders()
    assert again.summary().positions == whole.summary().positions
    if is_foreign:
        return
    assert again.state_hash() == whole.state_hash() == snapshot.head.state_hash
    for batch in batches(matching, seed, until + STEPS_AFTER)[until:]:
        assert step(again, batch) == step(whole, batch)


def test_no_name_of_a_value_changes_unseen():
    """A new name needs a default for older snapshots (`#[serde(default)]`), a lost one a new format.

    TRADECORE_WRITE_GOLDEN=1 writes the list anew, once that is done.
    """
    assert sorted(all_names()) == (GOLDEN / "names.txt").read_text().split()
