"""What a running engine says of itself to `tradecore status`, and how to wait until it says something."""

import json
import time


def engine_says(folder, account="main"):
    """Return what the running engine says of itself, or nothing while it does not answer."""
    with folder.start("status", account, "--json") as process:
        output, _ = process.communicate(timeout=20)
    return (json.loads(output) if output else {}).get("engine") or {}


def until_engine_says(folder, is_so, *, account="main", seconds=60):
    """Wait until the running engine says that something is so; return all that it says."""
    deadline = time.monotonic() + seconds
    while not ((said := engine_says(folder, account)) and is_so(said)):
        assert time.monotonic() < deadline, said
        time.sleep(0.2)
    return said


def has_agreed(said):
    """Tell whether books and venue agree."""
    return (said.get("venue") or {}).get("step") == "agreed"
