"""`python -m promises.crashes.again SEED POINT` kills an engine there once more, and tells the story."""

import sys

from promises.crashes.many import again


def main(arguments: list[str]) -> int:
    """Print the story of one kill and what the audit found; 1 where it found something."""
    seed, point = map(int, arguments)
    found = [words for death in again(seed, point, _say) for words in death.findings]
    for words in found:
        _say(f"FOUND {words}")
    return 1 if found else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


sys.exit(main(sys.argv[1:]))
