"""Venue and engine of the live demo: they are started, told, waited for and ended, within bounds."""

import json
import subprocess
import sys
import time

import pytest
from msgspec.structs import replace

from tradecore.domain.commands import Flatten, Pause
from tradecore.domain.errors import VenueError
from tradecore.ports.control_channel import ControlReply, Status
from tradecore_api.live_demo import child as children
from tradecore_api.live_demo import pair as pairs
from tradecore_api.live_demo import settings
from tradecore_api.live_demo.child import Child
from tradecore_api.live_demo.pair import Pair, standing_of

SAID = {
    "orders": 1,
    "open_orders": 0,
    "cash": "1",
    "positions": {"BTC-USD": "0", "ETH-USD": "0.0"},
    "venue": {"step": "agreed", "unknown": 0, "open_orders": 0},
}


@pytest.mark.parametrize(
    ("changes", "is_settled"),
    [
        ({}, True),
        ({"open_orders": 1}, False),
        ({"positions": {"BTC-USD": "0", "ETH-USD": "-0.1"}}, False),
        ({"positions": {}}, True),
        ({"venue": {"step": "agreed", "unknown": 1, "open_orders": 0}}, False),
        ({"venue": {"step": "agreed", "unknown": 0, "open_orders": 1}}, False),
        ({"venue": {"step": "comparing", "unknown": 0, "open_orders": 0}}, False),
    ],
)
def test_all_is_settled_when_nothing_is_open_held_or_in_doubt(changes, is_settled):
    """On both sides, and books and venue agree."""
    assert standing_of(SAID | changes).is_settled == is_settled


class ScriptedChild:
    """A process that is none: it ends when it is told to, or does not."""

    def __init__(self, name, folder, *arguments):
        self.name, self.arguments = name, arguments
        self.pid = 40 + len(name)
        self.deeds = []
        self.trouble = None
        self.does_end = True
        self.said = b""

    def require(self):
        """Raise when it has ended by itself."""
        if self.trouble:
            raise VenueError(self.trouble)

    def kill(self):
        """Note it."""
        self.deeds.append("killed")

    def end(self, seconds_max):
        """Note how long it may take."""
        self.deeds.append(("ended", seconds_max))
        return self.does_end

    def output(self):
        """Return what it has said."""
        return self.said


class World:
    """What a pair meets: processes, an engine that answers, and a clock of its own."""

    def __init__(self, folder, monkeypatch):
        self.now = 100.0
        self.made = {}
        self.asked, self.looks = [], []
        self.answers = lambda request: ControlReply(accepted=True, status=SAID)
        monkeypatch.setattr(pairs, "Child", self._child)
        monkeypatch.setattr(pairs.client, "ask", self._ask)
        monkeypatch.setattr(pairs.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(pairs.time, "sleep", self._sleep)
        arguments = settings.write(folder, seed=1, has_faults=False, journal=str(folder / "j"))
        self.pair = Pair(folder, arguments, self.looks.append)
        (folder / pairs.KEYS).write_text("{}")

    def _child(self, name, folder, *arguments):
        self.made[name] = ScriptedChild(name, folder, *arguments)
        return self.made[name]

    def _ask(self, state, request, *, seconds_max):
        assert seconds_max == pairs.ANSWER_SECONDS_MAX
        self.asked.append(request)
        return self.answers(request)

    def _sleep(self, seconds):
        assert seconds == pairs.TICK_SECONDS
        self.now += seconds


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Return a pair and what it meets."""
    return World(tmp_path, monkeypatch)


def test_the_venue_is_started_on_a_free_port_and_the_engine_with_its_file(world):
    """The venue writes its keys, by which the engine finds it."""
    world.pair.start_venue()
    world.pair.start_engine()
    venue, engine = world.made["venue"].arguments, world.made["engine"].arguments
    assert venue[:2] == ("venue", "serve")
    assert venue[venue.index("--port") + 1] == "0"
    assert venue[venue.index("--keys") + 1] == pairs.KEYS
    assert venue[venue.index("--settings") + 1] == settings.VENUE
    assert engine == ("run", pairs.ENGINE, "--json")
    assert world.pair.pids() == {"venue": 45, "engine": 46}


def test_a_venue_that_makes_no_keys_is_waited_for_so_long(world, tmp_path):
    """And no longer: the message says how long that was."""
    (tmp_path / pairs.KEYS).unlink()
    with pytest.raises(VenueError, match="the venue has not started within 20 s"):
        world.pair.start_venue()
    assert world.now == 120.0


def test_an_answer_is_shown_and_so_is_that_none_came(world):
    """Nobody is asked before an engine is there."""
    assert world.pair.look() is None
    assert world.asked == []
    world.pair.start_engine()
    assert world.pair.look() == SAID
    world.answers = lambda request: ControlReply(accepted=True, status={})
    assert world.pair.look() is None
    assert world.looks == [None, SAID, None]
    assert world.asked == [Status(), Status()]


def test_a_process_that_ended_by_itself_is_an_error(world):
    """Whichever it is."""
    world.pair.start_venue()
    world.pair.start_engine()
    world.made["venue"].trouble = "the venue ended"
    with pytest.raises(VenueError, match="the venue ended"):
        world.pair.look()


@pytest.mark.parametrize("refused", [Pause, Flatten])
def test_an_engine_is_told_until_it_has_taken_both(world, refused):
    """It takes no new risk first, then closes everything; once both are taken nothing is told again."""
    refusals = iter([False, False])

    def answer(request):
        is_taken = next(refusals, True) if isinstance(request, refused) else True
        return ControlReply(accepted=is_taken, status=SAID)

    world.answers = answer
    world.pair.start_engine()
    assert world.pair.settled(lambda: 10.0) == SAID
    told = [request for request in world.asked if not isinstance(request, Status)]
    assert told[-2:] == [Pause(), Flatten()]
    assert len([each for each in told if isinstance(each, refused)]) == 3


def test_an_engine_that_does_not_answer_is_told_when_it_does(world):
    """What it said before it was told does not count."""
    world.pair.start_engine()

    def answer(request):
        if not isinstance(request, Status) and world.now < 101:
            raise VenueError("no answer")
        return ControlReply(accepted=True, status=SAID)

    world.answers = answer
    assert world.pair.settled(lambda: 10.0) == SAID
    assert world.now == 101.25


def test_what_does_not_settle_is_given_up_in_time(world):
    """The time may become shorter while it is waited for."""
    world.answers = lambda request: ControlReply(accepted=True, status=SAID | {"open_orders": 1})
    world.pair.start_engine()
    assert world.pair.settled(lambda: 5.0) is None
    assert world.now == 105.0
    times = iter([5.0, 5.0])
    assert world.pair.settled(lambda: next(times, 0.5)) is None
    assert world.now == 105.5


def test_an_engine_that_is_killed_is_no_part_of_the_pair(world):
    """It is not asked, and not missed."""
    world.pair.start_engine()
    world.made["engine"].trouble = "the engine ended"
    assert world.pair.kill_engine() == 46
    assert world.made["engine"].deeds == ["killed"]
    assert world.pair.look() is None


def test_an_engine_sums_up_as_it_ends(world):
    """One that was ended before it began says nothing; one that does not end, or had ended, is an error."""
    world.pair.start_engine()
    world.made["engine"].said = b'{"orders": 7}'
    assert world.pair.end_engine() == {"orders": 7}
    assert world.made["engine"].deeds == [("ended", pairs.END_SECONDS_MAX)]
    world.pair.start_engine()
    assert world.pair.end_engine() == {}
    world.pair.start_engine()
    world.made["engine"].does_end = False
    with pytest.raises(VenueError, match="the engine did not end within 2 s, and was killed"):
        world.pair.end_engine()
    world.pair.start_engine()
    world.made["engine"].trouble = "the engine ended"
    with pytest.raises(VenueError, match="the engine ended"):
        world.pair.end_engine()


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        (b'{"port": 1}\n{"faults": {"a": 2}}\n', {"a": 2}),
        (b'{"faults": {"a": 3}}', {"a": 3}),
        (b'{"port": 1}\n', {}),
        (b"", {}),
    ],
)
def test_the_last_line_of_the_venue_has_its_faults(world, said, faults):
    """Those that it made on purpose; a venue without any says none."""
    world.pair.start_venue()
    world.made["venue"].said = said
    assert world.pair.end_venue() == faults
    assert world.pair.pids() == {}


def test_at_the_end_the_engine_goes_before_the_venue(world):
    """So that it can cancel there; whatever happened, both go."""
    order = []
    world.pair.start_venue()
    world.pair.start_engine()
    for name, each in world.made.items():
        each.end = lambda seconds, name=name: order.append((name, seconds))
    with pytest.raises(VenueError), world.pair:
        raise VenueError("something")
    assert order == [("engine", pairs.END_SECONDS_MAX), ("venue", pairs.END_SECONDS_MAX)]
    assert world.pair.pids() == {}


# Real processes.


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Return what starts a program of Python as a child; none outlives its test."""
    made = []

    def of(program):
        def popen(command, **options):
            return subprocess.Popen([sys.executable, "-c", program], **options)

        fake = type("Subprocess", (), {"Popen": staticmethod(popen), "PIPE": subprocess.PIPE})
        monkeypatch.setattr(children, "subprocess", fake)
        made.append(Child("engine", tmp_path, "run"))
        return made[-1]

    yield of
    for each in made:
        each.kill()


def test_a_process_that_ended_by_itself_tells_its_code_and_its_last_three_lines(started):
    """Escape sequences in them are shown as such."""
    made = started("import sys; sys.stderr.write('one\\ntwo\\n\\x1b[2J\\nfour\\n'); sys.exit(7)")
    made._process.wait()
    with pytest.raises(VenueError) as raised:
        made.require()
    words = str(raised.value)
    assert words.startswith("the engine ended by itself with exit code 7; it said last: two / ")
    assert words.endswith(" / four")
    assert "\x1b" not in words


def test_one_that_says_nothing_is_named_with_its_code_alone(started):
    """There are no empty words of it."""
    made = started("raise SystemExit(3)")
    made._process.wait()
    with pytest.raises(VenueError) as raised:
        made.require()
    assert str(raised.value) == "the engine ended by itself with exit code 3"


def test_one_that_was_killed_has_not_ended_by_itself(started):
    """Nor has one that runs."""
    made = started("import sys; sys.stdin.read()")
    assert made.is_running
    assert not made.is_killed
    made.require()
    made.kill()
    assert made.is_killed
    assert not made.is_running
    made.require()


def test_a_process_ends_when_nobody_holds_its_tether(started):
    """What it wrote on the way out can be read; it had time for that."""
    made = started("import sys; sys.stdin.read(); print('ended')")
    assert made.end(30.0)
    assert not made.is_killed
    assert made.output() == b"ended\n"


def test_a_process_that_does_not_end_in_time_is_killed(started):
    """And that is told."""
    made = started("import time; time.sleep(60)")
    began = time.monotonic()
    assert not made.end(0.2)
    assert made.is_killed
    assert not made.is_running
    assert 0.2 <= time.monotonic() - began < 30


def test_settings_of_our_own_environment_are_none_of_the_child(started, monkeypatch, tmp_path):
    """Its state is in its folder; the transport of control sockets is kept."""
    monkeypatch.setenv("TRADECORE_RISK__ORDER_RATE_MAX", "1")
    monkeypatch.setenv("TRADECORE_CONTROL", "tcp")
    monkeypatch.setenv("OTHERS", "kept")
    made = started("import json, os; print(json.dumps(dict(os.environ)))")
    assert made.end(30.0)
    said = json.loads(made.output())
    assert {name: value for name, value in said.items() if name.startswith("TRADECORE")} == {
        "TRADECORE_CONTROL": "tcp",
        "TRADECORE_STATE_DIR": str(tmp_path / "state"),
    }
    assert said["OTHERS"] == "kept"


def test_a_pair_compares_with_what_the_engine_said_last(world, monkeypatch):
    """Its money and positions, of the account and instruments of its settings."""
    given = {}
    monkeypatch.setattr(
        pairs, "compare", lambda journal, truth, **rest: given.update(rest, truth=truth) or "compared"
    )
    assert world.pair.compared("truth", SAID | {"cash": "12.5"}) == "compared"
    assert str(given["cash"]) == "12.5"
    assert given["account"] == "demo"
    assert [each.symbol for each in given["instruments"]] == ["BTC-USD", "ETH-USD"]
    assert given["positions"] == standing_of(SAID).positions
    assert replace(standing_of(SAID), positions={}).is_settled
