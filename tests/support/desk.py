"""An operator at a shell beside a running daemon."""

import json
import os
import subprocess
import sys
import time

CONFIG = """
mode = "paper"
[account]
name = "one"
currency = "USD"
cash = 100_000
[[instruments]]
symbol = "BTC-USD"
tick_size = 0.01
lot_size = 0.0001
[feed]
kind = "simulated"
seconds = 600
[strategy]
class = "tradecore_api.demo_strategies:Quoter"
quantity = 0.01
position_max = 0.05
"""
PATIENCE_SECONDS = 20


class Desk:
    """An operator's desk: a state directory, a configuration and the command line."""

    def __init__(self, directory, more="") -> None:
        self.directory = directory
        self.environment = {
            **os.environ,
            "TRADECORE_STATE_DIR": str(directory / "state"),
            "PYTHONUNBUFFERED": "1",
        }
        self.config = directory / "config.toml"
        self.config.write_text(CONFIG + more)
        self.processes = []

    def start(self, *options, until_running=True):
        """Start `tradecore run` and wait until it says that it runs."""
        with (self.directory / f"log-{len(self.processes)}").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tradecore_api", "run", str(self.config), "--json", *options],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.processes.append(process)
        if until_running:
            self.wait_until(lambda: self.status()["state"] == "running" and self.status()["engine"], process)
        return process

    def wait_until(self, is_true, process=None):
        """Poll until something is so; the test fails when it is not in time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_true():
            assert process is None or process.poll() is None, self.logs()
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.05)

    def logs(self):
        """Return what the daemons said."""
        return "\n".join(path.read_text() for path in sorted(self.directory.glob("log-*")))

    def call(self, *arguments, code=None):
        """Run one command to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "tradecore_api", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        if code is not None:
            assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done

    def status(self):
        """Return `tradecore status one --json`."""
        return json.loads(self.call("status", "one", "--json").stdout)

    def engine(self):
        """Return what the running engine says about itself."""
        return self.status()["engine"]

    def close(self):
        """End what this desk started."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()
