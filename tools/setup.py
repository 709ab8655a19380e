"""Bring `.venv` up to date: the environment, the locked packages, the extension, the editable packages.

Each step runs only when what it depends on has changed since it last succeeded.
Uses the standard library only, for it runs before anything is installed.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
STAMPS = VENV / ".stamps"
RUST_MIN = (1, 89)


class MissingToolError(Exception):
    """A tool is not there; the message is one line and says how to get it."""


def main() -> int:
    """Run the steps that are due.

    Returns
    -------
    int
        0 when `.venv` is ready; 1 when a step failed; 2 when a tool is missing.
    """
    parser = argparse.ArgumentParser(description="Bring .venv up to date.")
    parser.add_argument("--dev", action="store_true", help="also what the tests and checks need")
    parser.add_argument("--quick", action="store_true", help="an extension built sooner, but slower, will do")
    options = parser.parse_args()
    try:
        require_tools()
        prepare(dev=options.dev, profile="quick" if options.quick else "release")
    except MissingToolError as error:
        print(error, file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        print(f"setup: `{' '.join(map(str, error.cmd))}` ended with {error.returncode}", file=sys.stderr)
        return 1
    return 0


def require_tools() -> None:
    """Refuse to start without what the steps call.

    Raises
    ------
    MissingToolError
        When Rust or a C linker is missing or too old.
    """
    cargo = shutil.which("cargo")
    if cargo is None:
        raise MissingToolError("cargo not found: install the stable Rust toolchain from https://rustup.rs")
    version = subprocess.run([cargo, "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < RUST_MIN:
        raise MissingToolError(f"{version.strip()} is too old: `rustup update stable` brings 1.89 or newer")
    if os.name != "nt" and not any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        how = "apt install build-essential" if sys.platform == "linux" else "xcode-select --install"
        raise MissingToolError(f"C linker not found: install gcc or clang ({how})")


def prepare(*, dev: bool, profile: str) -> None:
    """Take the four steps in their order."""
    step("venv", [str(ROOT), sys.version, sys.base_prefix], [], create_venv)
    # The larger lock contains the smaller one: once it is in, it is the one to follow.
    lock = "dev" if dev or stamp("requirements-dev").exists() else "setup"
    path = ROOT / "requirements" / f"{lock}.txt"
    step(f"requirements-{lock}", [], [path], lambda: install(path))
    if not extension_is_built():
        stamp("extension").unlink(missing_ok=True)
    inputs = extension_inputs()
    # What is built for speed does for whoever would have been content with less.
    if stamp("extension").exists() and stamp("extension").read_text() == digest(["release"], inputs):
        profile = "release"
    step("extension", [profile], inputs, lambda: build_extension(profile))
    projects = sorted([*ROOT.glob("adapters/*/pyproject.toml"), *ROOT.glob("api/pyproject.toml")])
    step("packages", [], projects, lambda: link(project.parent for project in projects))


def step(name: str, facts: list[str], inputs: list[Path], run: Callable[[], None]) -> None:
    """Run a step unless its facts and the contents of its inputs are as they were when it last succeeded."""
    mark = stamp(name)
    now = digest(facts, inputs)
    if mark.exists() and mark.read_text() == now:
        return
    print(f"setup: {name}", file=sys.stderr)
    mark.unlink(missing_ok=True)
    run()
    STAMPS.mkdir(parents=True, exist_ok=True)
    mark.write_text(now)


def stamp(name: str) -> Path:
    """Give the file that remembers how things were when a step last succeeded."""
    return STAMPS / name


def digest(facts: list[str], inputs: list[Path]) -> str:
    """Hash facts, and files by name and content."""
    total = hashlib.sha256("\0".join(facts).encode())
    for path in inputs:
        total.update(f"\0{path.relative_to(ROOT).as_posix()}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def create_venv() -> None:
    """Make the environment, with the interpreter itself and not one that is itself an environment's."""
    interpreter = getattr(sys, "_base_executable", sys.executable)
    clear = [] if venv_fits() else ["--clear"]
    try:
        subprocess.run([interpreter, "-m", "venv", *clear, str(VENV)], check=True)
    except subprocess.CalledProcessError as error:
        raise MissingToolError(f"{interpreter} has no venv module: apt install python3-venv") from error


def venv_fits() -> bool:
    """Tell whether an environment made here by the same Python is there already."""
    facts = VENV / "pyvenv.cfg"
    if not facts.exists():
        return False
    text = facts.read_text()
    return f"version = {sys.version.split()[0]}\n" in text and f" {VENV}\n" in text


def install(lock: Path) -> None:
    """Install a lock file: each package by its hash, nothing that is not in it."""
    pip("install", "--require-hashes", "--no-deps", "-r", str(lock))


def extension_inputs() -> list[Path]:
    """List the files the extension is made of."""
    rust = [path for path in sorted((ROOT / "rust").rglob("*")) if path.suffix in {".rs", ".toml"}]
    return [ROOT / "Cargo.toml", ROOT / "Cargo.lock", ROOT / "pyproject.toml", *rust]


def extension_is_built() -> bool:
    """Tell whether a built extension lies in the source tree."""
    return bool(extensions())


def extensions() -> list[Path]:
    """List the built extensions in the source tree: one, or another build for other Pythons too."""
    package = ROOT / "python" / "tradecore"
    return [path for path in package.glob("_core*") if path.suffix in {".so", ".pyd"}]


def build_extension(profile: str) -> None:
    """Build the native part with a profile of Cargo, for this Python, and install `tradecore` in place."""
    environment = {**os.environ, "VIRTUAL_ENV": str(VENV), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment.pop("CONDA_PREFIX", None)
    command = [str(BIN / "maturin"), "develop", "--profile", profile, "--locked", "--quiet"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    # A build for other Pythons that lay there: no interpreter shall load it in place of its own.
    for built in extensions():
        if not built.name.endswith(EXTENSION_SUFFIXES[0]):
            built.unlink()


def link(packages: Iterable[Path]) -> None:
    """Install the adapters and the driving side in place."""
    editable = [part for package in packages for part in ("-e", str(package))]
    if editable:
        pip("install", "--no-deps", "--no-build-isolation", *editable)


def pip(*arguments: str) -> None:
    """Call the environment's pip, without prompts."""
    command = [str(BIN / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
    subprocess.run([*command, *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
