"""What the benches run on, and how alike two machines are."""

import os
import platform
from pathlib import Path


def machine() -> dict[str, object]:
    """Describe the machine, without its name."""
    facts = processor()
    return {
        "processor": facts.get("model name", platform.processor()),
        "model": "/".join(facts.get(key, "?") for key in ("cpu family", "model", "stepping")),
        "cores": os.cpu_count(),
        "memory_gb": round(memory_kb("MemTotal") / 1e6),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
    }


def processor() -> dict[str, str]:
    """Read what the kernel knows of the first core."""
    lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    return {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in lines}


def is_same_kind(one: dict, other: dict) -> bool:
    """Tell whether ratios taken on two machines can be compared closely: the same model of processor."""
    return all(one.get(key) == other.get(key) for key in ("processor", "model"))


def available_gb() -> float:
    """Give the memory that is free for a peer."""
    return memory_kb("MemAvailable") / 1e6


def memory_kb(name: str) -> int:
    """Read one line of the kernel's account of memory."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
