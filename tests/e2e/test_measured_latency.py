"""Measured latencies from a file decide a session, and its journal goes on with no others."""

import json

import pytest

from support.command_line import PAPER, CommandLine
from tradecore_api.exit_codes import ExitCode

RUN = ("run", "paper.toml", "--set", "journal.path=journal", "--set", "log.level=error", "--json")
START_NS = 1_700_000_000_000_000_000
QUEUED = '[venue]\nlatency_file = "latency.csv"\n'


def latencies(order_ms: int, report_ms: int) -> str:
    """Write two samples of these latencies, a year apart."""
    rows = [(START_NS + at, order_ms * 1_000_000, report_ms * 1_000_000) for at in (0, 31_536_000 * 10**9)]
    lines = [f"{sent},{sent + order},{sent + order + report}" for sent, order, report in rows]
    return "\n".join(["request_ns,venue_ns,response_ns", *lines]) + "\n"


@pytest.fixture
def shell(tmp_path):
    """A folder with a paper session of measured latencies."""
    shell = CommandLine(tmp_path)
    shell.write("paper.toml", PAPER + QUEUED)
    shell.write("latency.csv", latencies(20, 30))
    return shell


def test_constant_samples_are_a_constant_latency(shell):
    """The same orders as with the two constants, and others than with other latencies."""

    def digest(order_ns, report_ns):
        constant = f"[venue]\norder_latency_ns = {order_ns}\nreport_latency_ns = {report_ns}\n"
        shell.write("paper.toml", PAPER + constant)
        return json.loads(shell.run(*RUN, "--new-journal")[0])["orders_digest"]

    measured = json.loads(shell.run(*RUN)[0])["orders_digest"]
    assert measured == digest(20_000_000, 30_000_000)
    assert measured != digest(20_000_000, 31_000_000)


def test_a_journal_replays_with_its_latencies_and_is_refused_with_others(shell):
    """Replay gives every byte again; a changed or missing file is named, by replay and by a restart."""
    ran = json.loads(shell.run(*RUN)[0])
    again = json.loads(shell.run("journal", "replay", "journal", "--json")[0])
    assert again["state_hash"] == ran["state_hash"]

    shell.write("latency.csv", latencies(20, 31))
    for command in (("journal", "replay", "journal"), RUN):
        shell.refused(*command, code=ExitCode.CONFIG, says=["latency_digest"])

    (shell.folder / "latency.csv").unlink()
    shell.refused("journal", "replay", "journal", code=ExitCode.CONFIG, says=["latency.csv", "no such file"])


def test_a_digest_in_the_configuration_pins_the_file(shell):
    """A run with other samples does not begin."""
    shell.write("paper.toml", PAPER + QUEUED + f'latency_digest = "{"0" * 64}"\n')
    shell.refused(*RUN, code=ExitCode.CONFIG, says=["venue.latency_digest", "0" * 64])
    assert not (shell.folder / "journal").exists()


def test_latencies_that_cannot_be_read_are_named(shell):
    """File, line and rule."""
    shell.write("latency.csv", "request_ns,venue_ns,response_ns\n20,10,30\n")
    shell.refused("config", "check", "paper.toml", code=ExitCode.CONFIG, says=["latency.csv", "line 2"])
