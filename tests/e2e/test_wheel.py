"""One wheel for every supported CPython: built for the stable ABI where asked, installed and used on each."""

import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import HeaderParser
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import tradecore._core as native
from support.shared import ROOT

fcntl = pytest.importorskip("fcntl", reason="the lock of the build is a POSIX one")

VERSIONS = ("3.11", "3.12", "3.13")
WHEEL_BYTES_MAX = 40_000_000
SMOKE = """
import sys
import tradecore
from tradecore.domain import EventBatch

batch = EventBatch()
batch.quote(1, 0, 99, 5, 101, 7)
assert len(batch) == 1
assert not {name for name in sys.modules if name.startswith("tradecore_")}
print("%d.%d" % sys.version_info[:2])
"""


def interpreter(version: str) -> str:
    """Find a CPython of this version, on PATH or kept by pyenv; skip when there is none."""
    found = [shutil.which(f"python{version}")]
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version:
        found.insert(0, getattr(sys, "_base_executable", sys.executable))
    if pyenv := shutil.which("pyenv"):
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True).stdout.strip()
        found += map(str, sorted(Path(root).glob(f"versions/{version}.*/bin/python")))
    for path in filter(None, found):
        # A shim may stand for a version that is not switched on: only one that runs counts.
        if subprocess.run([path, "-c", "import ssl, venv"], capture_output=True).returncode == 0:
            return path
    pytest.skip(f"CPython {version} is not on this machine")


def test_a_build_from_source_is_for_its_own_python():
    """What `make setup` builds calls its interpreter directly, without the stable ABI between them."""
    assert Path(native.__file__).name.endswith(EXTENSION_SUFFIXES[0])


def built_wheel(folder: Path) -> Path:
    """Return the one wheel; it is built once, whichever of several test processes comes first."""
    build = [sys.executable, "-m", "maturin", "build", "--release", "--locked", "--quiet"]
    options = ["--features=stable-abi", "--out", str(folder), "--interpreter", sys.executable]
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not list(folder.glob("*.whl")):
            subprocess.run([*build, *options], cwd=ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_one_wheel_installs_and_runs_on(version, tmp_path, tmp_path_factory):
    """The same file works on each interpreter, brings numpy and msgspec only, and is of bearable size."""
    python = interpreter(version)
    # The folder that all processes of a test run share.
    shared = tmp_path_factory.getbasetemp()
    shared = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "wheel"
    shared.mkdir(exist_ok=True)
    wheel = built_wheel(shared)
    with zipfile.ZipFile(wheel) as content:
        (name,) = [entry for entry in content.namelist() if entry.endswith(".dist-info/METADATA")]
        facts = HeaderParser().parsestr(content.read(name).decode())
        assert "tradecore/py.typed" in content.namelist()
        assert "tradecore/_core.pyi" in content.namelist()

    subprocess.run([python, "-m", "venv", str(tmp_path / "venv")], check=True)
    inside = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = [
        str(inside),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
        "--quiet",
        "install",
        "--no-deps",
    ]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements" / "runtime.txt")], check=True)
    subprocess.run([*pip, str(wheel)], check=True)
    said = subprocess.run([str(inside), "-c", SMOKE], cwd=tmp_path, capture_output=True, text=True)

    assert said.stdout.strip() == version, said.stderr
    assert "-abi3-" in wheel.name
    assert wheel.stat().st_size <= WHEEL_BYTES_MAX
    needed = [entry for entry in facts.get_all("Requires-Dist") if "extra ==" not in entry]
    assert {entry.split(">")[0].strip() for entry in needed} == {"numpy", "msgspec"}
