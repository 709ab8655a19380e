"""What `venue serve` says as it begins and ends, and how it waits for its end."""

import argparse
import asyncio
import json
import os
import signal
import sys
import time

import pytest

from tradecore_api import process_deadline
from tradecore_api.commands import venue
from tradecore_api.exit_codes import ExitCode

URL = "http://127.0.0.1:7"
QUERY_URL = "http://127.0.0.1:8"


@pytest.fixture
def serve(tmp_path, monkeypatch, capsys):
    """Return what runs the command beside a server that is none, and returns code, output and remarks."""

    def of(*, is_json, duration_ms=None, faults=()):
        async def served(settings, script, keys, *, host, port, on_start):
            assert (settings.seed, host, port) == (7, "h", 70)
            await on_start(URL, QUERY_URL)
            return list(faults)

        async def ended(given):
            assert given == duration_ms

        monkeypatch.setattr(venue.local_venue, "serve", served)
        monkeypatch.setattr(venue, "_end", ended)
        code = venue.serve(
            argparse.Namespace(
                settings=None,
                seed=7,
                instruments=["ETH-USD"],
                faults=None,
                keys=str(tmp_path / "k.json"),
                host="h",
                port=70,
                duration_ms=duration_ms,
                json=is_json,
            )
        )
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return of


@pytest.mark.parametrize(
    ("duration_ms", "how"),
    [(None, "It ends with Ctrl-C."), (250, "It ends by itself after 250 ms, or with Ctrl-C.")],
)
def test_people_are_told_where_it_is_what_opens_it_and_how_it_ends(serve, tmp_path, duration_ms, how):
    """Three lines; the keys are there by then."""
    code, output, talk = serve(is_json=False, duration_ms=duration_ms)
    assert (code, talk) == (ExitCode.OK, "")
    first, second, third = output.splitlines()
    assert first == f"The local venue listens on {URL} and trades ETH-USD."
    assert second == f"Its keys are in {tmp_path / 'k.json'}, which only you can read."
    assert third == f"{how} docs/local-venue.md shows how to ask it."
    written = json.loads((tmp_path / "k.json").read_text())
    assert (written["url"], written["query_url"]) == (URL, QUERY_URL)


def test_scripts_get_a_line_at_each_end(serve, tmp_path):
    """Where it listens, and what went wrong on purpose."""
    _, output, _ = serve(is_json=True, faults=[("a at b", 1), ("c at d", 2)])
    first, last = map(json.loads, output.splitlines())
    assert first == {"url": URL, "keys": str(tmp_path / "k.json"), "symbols": ["ETH-USD"]}
    assert last == {"faults": {"a at b": 1, "c at d": 2}}


def test_people_are_told_what_went_wrong_on_purpose_and_how_often(serve):
    """On stderr, once each."""
    assert serve(is_json=False, faults=[("a at b", 1), ("c at d", 2)])[2].splitlines() == [
        "tradecore: went wrong on purpose once: a at b",
        "tradecore: went wrong on purpose 2 times: c at d",
    ]


@pytest.fixture
def deadline(monkeypatch):
    """Return what was asked of the deadline for the process; nothing ends it here."""
    asked = []
    monkeypatch.setattr(process_deadline, "wait_for", lambda *given: asked.append(given))
    return asked


@pytest.mark.usefixtures("deadline")
@pytest.mark.parametrize("duration_ms", [0, 150])
async def test_it_ends_by_itself_when_its_time_is_over(duration_ms):
    """In milliseconds; none at all ends at once."""
    began = time.monotonic()
    await asyncio.wait_for(venue._end(duration_ms), 10)
    assert duration_ms / 1e3 - 0.01 <= time.monotonic() - began < 5


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("duration_ms", [None, 600_000])
async def test_it_ends_by_each_signal_and_gives_the_handlers_back(deadline, number, duration_ms):
    """The process may take so long for its end, and has the code of an interrupt then."""
    before = [signal.getsignal(each) for each in venue._SIGNALS]
    ending = asyncio.create_task(venue._end(duration_ms))
    await asyncio.sleep(0)
    assert not ending.done()
    os.kill(os.getpid(), number)
    await asyncio.wait_for(ending, 10)
    assert [signal.getsignal(each) for each in venue._SIGNALS] == before
    assert deadline == [(venue._SIGNALS, process_deadline.SECONDS, ExitCode.INTERRUPTED)]
