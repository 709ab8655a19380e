"""The end of a child that a strategy forked, and that came back from the callback to the run of its parent.

It shares what the parent waits for: sockets, files of the event loop, the state directory. Even an orderly
end would be done to the parent: its control socket would be removed, its connections answered by somebody
else. So the child ends where it is found, and touches nothing.
"""

import os
import select
import sys

# As for a broken promise of ours: whoever waits for the child sees that it did not do its work.
EXIT_CODE = 70


class ForkWatch:
    """Knows the process that it was made in.

    Children are told from it by their number: a fork is the only way to be here under another one.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()

    @property
    def is_child(self) -> bool:
        """Whether this is a child of the process that made it."""
        return os.getpid() != self.pid

    def end_child(self) -> None:
        """End this process at once if it is a child; the parent goes on undisturbed."""
        if self.is_child:
            _say(
                f"tradecore: pid {self.pid} was forked in a strategy, and the child (pid {os.getpid()}) came "
                "back to the run, which is its parent's alone: the child was ended; let a child end with "
                "os._exit, or start a program of its own with subprocess\n"
            )
            os._exit(EXIT_CODE)


def _say(words: str) -> None:
    """Write a line on standard error if that takes it at once: nobody may read the other end of a pipe."""
    try:
        if sys.platform == "win32" or select.select([], [2], [], 0)[1]:
            os.write(2, words.encode())
    except (OSError, ValueError):
        return
