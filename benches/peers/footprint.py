"""B9: what an installation weighs, how long an import takes, and how much memory it holds.

Each figure is taken in processes of their own. The import is the processor time of the best of some starts,
less that of an empty program; memory is what the process holds afterwards. Sizes leave out numpy.
"""

import resource
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from cases import BACKTESTING, BACKTRADER, NAUTILUS, VECTORBT, Peer
from environments import ROOT, NotInstalledError, python_of

STARTS = 7
# What a backtest imports.
OURS = "from tradecore import Engine, EngineSpec, EventBatch, StrategyBinding"
PEERS: tuple[tuple[Peer, str], ...] = (
    (NAUTILUS, "from nautilus_trader.backtest import BacktestEngine"),
    (BACKTESTING, "import backtesting"),
    (BACKTRADER, "import backtrader"),
    (VECTORBT, "import vectorbt"),
)
# What is aimed at: MB installed, seconds to import, MB held.
GOALS = {"installed_mb": 40.0, "import_s": 0.15, "memory_mb": 45.0, "command_s": 0.15}
HELD = "print([l.split()[1] for l in open('/proc/self/status') if l.startswith('VmRSS')][0])"
# Makers of environments bring these themselves.
NOT_COUNTED = (
    "numpy",
    "pip",
    "setuptools",
    "wheel",
    "__pycache__",
    "distutils-precedence",
    "_distutils_hack",
)


def footprint() -> dict:
    """Measure ours and every peer that can be had."""
    package = [ROOT / "python" / "tradecore", Path(metadata.distribution("msgspec").locate_file("msgspec"))]
    ours = {**imported(Path(sys.executable), OURS), "installed_mb": megabytes(package)}
    ours["command_s"] = best_start([str(Path(sys.executable).parent / "tradecore"), "--version"])
    rows: list[dict] = [{"name": "tradecore", **ours}]
    for peer, statement in PEERS:
        try:
            python = python_of(peer)
            rows.append({"name": peer.name, **imported(python, statement), **installed(python)})
        except NotInstalledError as problem:
            rows.append({"name": peer.name, "not_run": str(problem)})
    return {"goals": GOALS, "rows": rows}


def installed(python: Path) -> dict[str, float]:
    """Weigh everything that a peer's environment holds, less numpy."""
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    said = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout
    folder = Path(said.strip())
    kept = [path for path in folder.iterdir() if not path.name.startswith(NOT_COUNTED)]
    return {"installed_mb": megabytes(kept)}


def imported(python: Path, statement: str) -> dict[str, float]:
    """Time an import and see what the process holds then."""
    empty = best_start([str(python), "-W", "ignore", "-c", "pass"])
    taken = best_start([str(python), "-W", "ignore", "-c", statement])
    done = subprocess.run(
        [python, "-W", "ignore", "-c", f"{statement}\n{HELD}"], capture_output=True, text=True, check=True
    )
    return {"import_s": taken - empty, "memory_mb": int(done.stdout.split()[-1]) * 1024 / 1e6}


def best_start(command: list[str]) -> float:
    """Give the least processor time that a program needed, in seconds."""
    return min(cpu_seconds(command) for _ in range(STARTS))


def cpu_seconds(command: list[str]) -> float:
    """Run a program and give its processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def megabytes(paths: Iterable[Path]) -> float:
    """Add up files, in MB of 10^6 bytes; what the interpreter compiles later is left out."""
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))]
    return sum(file.stat().st_size for file in files if file.is_file() and file.suffix != ".pyc") / 1e6
