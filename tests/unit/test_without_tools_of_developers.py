"""Without the tools of developers every command is found, and so is the venue to try things on."""

import subprocess
import sys

PROGRAM = """
import importlib, pkgutil, sys

for name in ("pytest", "_pytest", "hypothesis", "mypy"):
    sys.modules[name] = None
import tradecore.testkit
import tradecore_api

names = [module.name for module in pkgutil.walk_packages(tradecore_api.__path__, "tradecore_api.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names))
"""


def test_every_module_of_the_commands_is_imported_without_them():
    """`make run` sets up no more than what runs."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 50
