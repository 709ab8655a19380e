"""Builds an environment for each peer below build/peers, outside of the project's own dependencies."""

import shutil
import subprocess
import sys
from pathlib import Path

from cases import Peer

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HOME = ROOT / "build" / "peers"


class NotInstalledError(Exception):
    """A peer cannot be had on this machine; the message says why."""


def python_of(peer: Peer) -> Path:
    """Give the interpreter of a peer's environment, made first where it is missing or out of date.

    Raises
    ------
    NotInstalledError
        When no interpreter fits, or the pinned versions cannot be installed.
    """
    wanted = HERE / f"requirements-{peer.environment}.txt"
    home = HOME / peer.environment
    python, mark = home / "bin" / "python", home / "requirements.txt"
    if mark.exists() and mark.read_bytes() == wanted.read_bytes():
        return python
    base = _interpreter(peer)
    shutil.rmtree(home, ignore_errors=True)
    _call([str(base), "-m", "venv", str(home)])
    _call([str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(wanted)])
    shutil.copyfile(wanted, mark)
    return python


def _interpreter(peer: Peer) -> Path:
    """Find the first interpreter that runs: our own kind, then on the path, or below pyenv's folder."""
    own = f"python3.{sys.version_info.minor}"
    if own in peer.pythons and (found := Path(sys.base_prefix) / "bin" / own).exists():
        return found
    pyenv = sorted((Path.home() / ".pyenv" / "versions").glob("*/bin"))
    for name in peer.pythons:
        for folder in (None, *pyenv):
            found = shutil.which(name, path=None if folder is None else str(folder))
            if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
                return Path(found)
    raise NotInstalledError(f"needs {' or '.join(peer.pythons)}, which is not found")


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise NotInstalledError(f"cannot be installed: {said[-1][:120]}")
