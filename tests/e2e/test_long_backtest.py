"""A backtest of the file of a paper run says what it does, and goes on saying how far it is."""

import json

from support.desk import CONFIG
from tradecore_api import cli, progress
from tradecore_api.exit_codes import ExitCode


def test_a_backtest_of_a_simulated_feed_says_what_it_does(tmp_path, monkeypatch, capfd):
    """At the start, and then every few seconds; the result on stdout is left alone."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    path = tmp_path / "paper.toml"
    path.write_text(CONFIG.replace("seconds = 600", "seconds = 90"))
    assert cli.main(["backtest", str(path), "--json"]) == ExitCode.OK
    output, said = capfd.readouterr()
    assert json.loads(output)["events"] > 0
    first, *lines = said.splitlines()
    assert first == (
        "tradecore: backtest over a simulated market of 1.5 min in [feed], as fast as it can be computed; "
        "Ctrl-C ends it without a result"
    )
    shown = [line for line in lines if line.startswith("backtesting: ")]
    assert len(shown) > 3
    assert all(line.endswith("% of the market's time") for line in shown)
    assert shown[-1].rpartition(", ")[2] in ("99% of the market's time", "100% of the market's time")


def test_short_work_writes_no_line(tmp_path, capsys):
    """A log gets a line every five seconds at most."""
    with progress.working("counting") as show:
        for count in range(100):
            show(count)
    assert capsys.readouterr().err == ""


def test_work_that_is_watched_is_drawn(monkeypatch, capsys):
    """On a terminal the line is drawn anew, and wiped at the end."""
    monkeypatch.setattr(progress, "is_watched", lambda: True)
    with progress.working("counting") as show:
        show(7, "99% of it")
    with progress.working("counting", "records") as show:
        show(7)
    assert capsys.readouterr().out == ""
