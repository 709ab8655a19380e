"""Runs a command that ends with the program that started it: `python -m tradecore_api.tethered run FILE`.

Standard input is the tether. It is a pipe whose other end the starting program holds, so it is closed when
that program closes it, and also when it dies, whatever ends it. The command then ends as SIGTERM ends it.
"""

import os
import signal
import sys
import threading

from tradecore_api.cli import main


def _wait_for_the_end(tether: int) -> None:
    """End this process cleanly once nobody holds the other end."""
    while os.read(tether, 1):
        pass
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGTERM)
    else:
        # To the process and not to this thread: others wait for the signal too.
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    # The command gets an empty standard input; the tether is ours alone.
    held = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    threading.Thread(target=_wait_for_the_end, args=(held,), name="tether", daemon=True).start()
    sys.exit(main())
