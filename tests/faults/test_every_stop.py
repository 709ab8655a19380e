"""Every way to stop a live engine, with everything that it uses taken away in turn: it still stops."""

import sys

import pytest

from support.nightly import IS_NIGHTLY, size

if sys.platform != "linux":
    pytest.skip("limits, mounts and /proc of Linux", allow_module_level=True)

from support.stopped_engine import WAYS, proved
from support.taken_away import FACTS, RESOURCES
from tradecore_api.state_dir import ENVIRONMENT_NAME

USUAL = ("kill", "SIGTERM")


def ways_of(number, without):
    """Return the ways to try: all of them at night; else two, and one more in turn."""
    possible = [way for way in WAYS if way.name not in without.needed_by]
    if IS_NIGHTLY:
        return possible
    others = [way for way in possible if way.name not in USUAL]
    usual = [way for way in possible if way.name in USUAL]
    return [others[number % len(others)], *usual]


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(size(150, 600))
@pytest.mark.parametrize("number", range(len(RESOURCES)), ids=[each.__name__ for each in RESOURCES])
def test_each_way_to_stop_does_so_whatever_is_gone(tmp_path, number, monkeypatch):
    """In its time, with its exit code, and with nothing open at the venue that it promises to end."""
    monkeypatch.setenv(ENVIRONMENT_NAME, str(tmp_path / "state"))
    without = RESOURCES[number]()
    world = without.world(tmp_path)
    try:
        ways = ways_of(number, without)
        # Where a callback does not come back, nobody but the watchdog can end the orders.
        world.start(is_watched=without.needs_watchdog or any(way.name == "watchdog" for way in ways))
        took = {way.name: proved(world, way, without) for way in ways}
    finally:
        world.close()
        without.close()
    print(f"without {without.name}: " + ", ".join(f"{name} {s:.1f} s" for name, s in took.items()))


def test_the_table_has_each_way_and_each_resource_once():
    """What the documents show is what is tried."""
    assert sorted(FACTS["ways"]) == sorted(way.name for way in WAYS)
    assert [each["is"] for each in FACTS["gone"]] == [each.__name__ for each in RESOURCES]
