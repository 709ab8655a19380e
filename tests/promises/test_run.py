"""The runner ends as its parts do: what one finds is its exit code, and one that hangs is ended and said."""

import json
from pathlib import Path

import msgspec
import pytest

from promises import __main__ as runner
from promises import run
from promises.parts import PARTS, Part, Size
from promises.table import CATALOGUE, lines

GOOD = """
import sys
from promises.part import Gathered, Row, main

def work(asked):
    return Gathered(rows=(Row(promise="P3", what="orders that were looked at", tried=asked.size),))

sys.exit(main("good", 1, work))
"""
BAD = """
import sys
from promises.part import Gathered, Row, main

def work(asked):
    row = Row(promise="P4", what="writes that failed", tried=9, found=1, worst="write 7")
    return Gathered(rows=(row,), failures=("write 7 was acknowledged",))

sys.exit(main("bad", 1, work))
"""
HUNG = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, file=open("{place}", "w"), flush=True)
child.wait()
"""
SILENT = "raise SystemExit('no venue to talk to')"
STRANGE = GOOD.replace("P3", "P999")


def is_running(pid):
    """Tell whether a process runs; one that has ended and that nobody asked for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def ran(tmp_path, monkeypatch, capsys):
    """Run parts of these sources, and return exit code, what was written, and what was printed."""

    def run_all(sources, seconds=20.0, arguments=()):
        parts = []
        for name, source in sources.items():
            (tmp_path / f"part_{name}.py").write_text(source)
            size = Size(5, seconds)
            parts.append(Part(name=name, module=f"part_{name}", change=size, nightly=Size(50, seconds)))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setattr(runner, "PARTS", tuple(parts))
        monkeypatch.setattr(runner, "WRITTEN", run.ROOT / "build" / f"{tmp_path.name}.json")
        try:
            code = runner.main(list(arguments))
            written = msgspec.json.decode(runner.WRITTEN.read_bytes(), type=CATALOGUE.Run)
        finally:
            runner.WRITTEN.unlink(missing_ok=True)
        return code, written, capsys.readouterr().out

    return run_all


def test_what_parts_tried_stands_in_the_table_and_nothing_found_is_no_failure(ran):
    """The rest of the table names tests, or says that it is not built."""
    code, written, printed = ran({"good": GOOD}, arguments=["--seed", "7"])
    assert (code, written.seed, written.kind) == (0, 7, "change")
    lines = {line.split()[0]: line for line in printed.splitlines() if line.startswith(("P", "C"))}
    assert "orders that were looked at" in lines["P3"]
    assert "by the suite" in lines["P6"]
    assert "not built" in lines["P45"]
    assert len([line for line in printed.splitlines() if "not built" in line]) >= 10


def test_a_night_does_ten_times_as_much(ran):
    """The sizes of the night are asked for."""
    _, written, _ = ran({"good": GOOD}, arguments=["--nightly"])
    assert (written.kind, written.parts[0].found.size) == ("nightly", 50)


def test_what_one_part_finds_is_the_exit_code_and_is_printed(ran):
    """The others are told all the same."""
    code, written, printed = ran({"good": GOOD, "bad": BAD})
    assert code == 1
    assert "BROKEN by bad: write 7 was acknowledged" in printed
    assert [each.found.part for each in written.parts] == ["good", "bad"]


def test_a_part_that_hangs_is_ended_with_its_children_and_said(ran, tmp_path, monkeypatch):
    """Nothing of it is left, and it is no success."""
    monkeypatch.setattr(run, "GRACE_SECONDS", 1.0)
    place = tmp_path / "child"
    code, written, printed = ran({"hung": HUNG.replace("{place}", str(place)), "good": GOOD}, seconds=1.0)
    assert code == 1
    assert "NOT TOLD by hung: it did not end within 1 seconds and was ended" in printed
    assert written.parts[1].found is not None
    assert not is_running(int(place.read_text()))


def test_who_stops_the_runner_stops_the_parts(tmp_path, monkeypatch):
    """Nothing of it goes on where nobody waits for it any more."""
    place = tmp_path / "child"
    (tmp_path / "part_hung.py").write_text(HUNG.replace("{place}", str(place)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    size = Size(1, 60)

    def show(*_):
        if place.exists() and place.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.run_parts(
            [Part(name="hung", module="part_hung", change=size, nightly=size)],
            is_nightly=False,
            seed=1,
            show=show,
        )
    assert not is_running(int(place.read_text()))


def test_a_part_that_says_nothing_is_told_with_its_last_words(ran):
    """A part that cannot begin has not found that all is well."""
    code, written, printed = ran({"silent": SILENT})
    assert code == 1
    assert written.parts[0].found is None
    assert "no venue to talk to" in printed


def test_a_part_that_leaves_out_what_it_is_to_try_is_no_success(ran):
    """A row that is gone is not taken for one that is kept."""
    told = GOOD.replace('"good"', '"wire"')
    code, _, printed = ran({"wire": told})
    assert code == 1
    assert "NOT TOLD of P30 by wire" in printed
    assert "P3 by wire" not in printed


def test_a_promise_that_nobody_made_is_no_success(ran):
    """A slip of the pen in a part would hide a row."""
    code, _, printed = ran({"strange": STRANGE})
    assert code == 1
    assert "NO SUCH PROMISE: P999" in printed


def test_parts_have_modules_and_fit_into_their_time():
    """Two run at once: eight minutes for a change, forty-five for a night, with the time to end."""
    places = run.ROOT / "tests" / "promises"
    assert [each.name for each in PARTS if not list(places.glob(f"{each.name}*"))] == []
    for sizes, seconds in (([each.change for each in PARTS], 480), ([each.nightly for each in PARTS], 2_700)):
        assert sum(size.seconds for size in sizes) <= 2 * seconds
        assert max(size.seconds for size in sizes) <= seconds


def test_the_kept_run_is_of_the_parts_that_there_are():
    """The page shows no run of other parts than those that run now."""
    kept = json.loads((run.ROOT / "docs" / "promises.json").read_bytes())
    assert {each["name"] for each in kept["parts"]} <= {each.name for each in PARTS}


def test_a_planted_bug_that_is_noticed_stands_beside_what_holds_the_promise():
    """It says that the tests look, and takes the place of none of them."""
    row = {"promise": "P6", "what": "planted bugs", "tried": 2}
    found = {"part": "planted", "size": 2, "seconds": 3.0, "rows": [row]}
    said = {"commit": "0", "kind": "change", "seed": 1, "seconds": 4.0, "machine": "m"}
    made = msgspec.convert(said | {"parts": [{"name": "planted", "found": found}]}, CATALOGUE.Run)
    of_it = [line for line in lines(made) if line[0] == "P6"]
    assert [line[2] for line in of_it] == ["by the suite", "2"]
