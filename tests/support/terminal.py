"""A pseudo-terminal with a command in it, and a plain screen that shows what a person would see."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

_SEQUENCE = re.compile(r"\x1b\[(\?25[lh]|[0-9;?]*[A-Za-z])|\x1b[()][A-Z0-9]|\r\n|\n|\r|[^\x1b\r\n]+")


class Terminal:
    """A command on a terminal of a given size; read what it drew with `screen`.

    Parameters
    ----------
    arguments : list of str
        Command line.
    environment, folder :
        Of its process.
    columns, lines : int
        Size of the terminal.
    """

    def __init__(self, arguments, environment, folder, *, columns=120, lines=40) -> None:
        self.master, slave = pty.openpty()
        self.columns = columns
        self._set_size(columns, lines)
        self.raw = ""
        self.process = subprocess.Popen(
            arguments,
            cwd=folder,
            env={"TERM": "xterm-256color", **_without_size(environment)},
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
            start_new_session=True,
            # The terminal becomes that of the process, so that a change of its size is told.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - tests start no threads
        )
        os.close(slave)

    def resize(self, columns, lines):
        """Change the size of the terminal and tell the process."""
        self._set_size(columns, lines)
        self.columns = columns
        self.process.send_signal(signal.SIGWINCH)

    def read(self, seconds):
        """Take in what is written for so long."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.master], [], [], left)[0]:
                return
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.raw += data.decode(errors="replace")

    def read_until(self, is_there, seconds=20):
        """Take in what is written until something is so."""
        deadline = time.monotonic() + seconds
        while not is_there(self.raw):
            assert time.monotonic() < deadline, self.raw[-3000:]
            assert self.process.poll() is None or is_there(self.raw), self.raw[-3000:]
            self.read(0.1)

    def end(self, seconds=20):
        """Wait for the end of the process, and take in what it still wrote."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.raw[-3000:]
            self.read(0.1)
        self.read(0.3)
        return self.process.returncode

    def close(self):
        """End what still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        os.close(self.master)

    def screen(self):
        """Return the lines that are on the screen, as far as they were scrolled too."""
        return drawn(self.raw)

    def is_cursor_shown(self):
        """Tell whether the cursor was left as it was."""
        return self.raw.rfind("\x1b[?25h") >= self.raw.rfind("\x1b[?25l")

    def _set_size(self, columns, lines):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def _without_size(environment):
    """Leave out what would speak for another size than that of the terminal."""
    return {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}


def drawn(raw):
    """Play what was written on a screen without a lower end; colours are passed over."""
    rows, row, column = [""], 0, 0
    for match in _SEQUENCE.finditer(raw):
        text, code = match.group(0), match.group(1)
        if text in ("\n", "\r\n"):
            row, column = row + 1, 0
        elif text == "\r":
            column = 0
        elif code is None and not text.startswith("\x1b"):
            line = rows[row].ljust(column)
            rows[row] = line[:column] + text + line[column + len(text) :]
            column += len(text)
        elif code:
            count = int(code[:-1]) if code[:-1].isdigit() else 1
            if code[-1] == "A":
                row = max(0, row - count)
            elif code[-1] == "K":
                rows[row] = "" if code == "2K" else rows[row][:column]
        while len(rows) <= row:
            rows.append("")
    return rows
