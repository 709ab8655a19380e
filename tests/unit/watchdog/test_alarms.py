"""An alarm reaches the operator's program, and a program that hangs holds nobody."""

import asyncio
import json
import logging
import sys
import time

from tradecore_api.watchdog.alarms import WAITING_MAX, Alarms

KEEPS = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + sys.argv[2] + chr(10))"


async def test_a_program_gets_each_alarm_as_json_and_in_words(tmp_path, caplog):
    """In the order in which they came; the log has them too."""
    told = tmp_path / "told"
    alarms = Alarms("main", (sys.executable, "-c", KEEPS, str(told)), 20.0)
    with caplog.at_level(logging.WARNING, "tradecore.watchdog"):
        alarms.tell("engine_gone", "it is dead")
        alarms.tell("engine_back", "it is back", is_good=True)
    await alarms.aclose(20.0)

    lines = told.read_text().splitlines()
    assert lines[1::2] == ["it is dead", "it is back"]
    first = json.loads(lines[0])
    assert (first["kind"], first["account"], first["words"]) == ("engine_gone", "main", "it is dead")
    assert first["time"].endswith("Z")
    assert [(record.levelname, record.words) for record in caplog.records] == [
        ("ERROR", "it is dead"),
        ("WARNING", "it is back"),
    ]


async def test_a_program_that_hangs_is_killed_with_all_that_it_started(tmp_path, caplog):
    """Whoever tells does not wait; what the program started is ended too."""
    mark = tmp_path / "mark"
    script = f"sleep 1.5 && touch {mark} & sleep 30"
    alarms = Alarms("main", ("/bin/sh", "-c", script), 0.3)
    begun = time.monotonic()
    alarms.tell("engine_gone", "it is dead")
    assert time.monotonic() - begun < 0.2
    await asyncio.sleep(0.8)
    await alarms.aclose(5.0)
    await asyncio.sleep(1.2)

    assert time.monotonic() - begun < 10
    assert not mark.exists()
    assert "did not end within 0.3 s" in caplog.records[-1].words


async def test_a_program_that_fails_is_said_and_the_next_alarm_comes(caplog):
    """One that is not there, and one that ends with an error."""
    for command, says in (
        (("/nowhere/at-all",), "cannot be run"),
        (("/bin/sh", "-c", "exit 3"), "ended with 3"),
    ):
        alarms = Alarms("main", command, 5.0)
        alarms.tell("engine_gone", "it is dead")
        alarms.tell("engine_back", "it is back")
        await alarms.aclose(5.0)
        assert sum(says in record.words for record in caplog.records) == 2


async def test_alarms_that_nobody_takes_do_not_pile_up():
    """The last ones are kept."""
    alarms = Alarms("main", ("/bin/sh", "-c", "sleep 30"), 0.2)
    for number in range(1_000):
        alarms.tell("venue_trouble", str(number))
    assert len(alarms._waiting) <= WAITING_MAX
    begun = time.monotonic()
    await alarms.aclose(0.5)
    assert time.monotonic() - begun < 3
