"""A terminal that nobody waits for: what is kept for it, what is drawn, and what its end says."""

import threading

import pytest

from tradecore_api import terminal
from tradecore_api.terminal import Above, Drawer


def test_what_is_written_is_kept_until_it_is_taken():
    """In its order, once; a stream says how much it has taken."""
    above = Above()

    assert above.writable()
    assert [above.write("one\n"), above.write("a"), above.write("")] == [4, 1, 0]
    assert [above.take(), above.take()] == ["one\na", ""]


@pytest.mark.parametrize("extra", [0, 1, 2])
def test_the_oldest_makes_room_and_is_counted(extra, monkeypatch):
    """As many as there is room for are all kept; a count is told once."""
    monkeypatch.setattr(terminal, "TEXTS_MAX", 3)
    above = Above()
    texts = [f"{number}\n" for number in range(3 + extra)]
    for text in texts:
        above.write(text)

    said = f"({extra} texts were left out: the terminal took nothing)\n" if extra else ""
    assert above.take() == said + "".join(texts[-3:])
    above.write("next")
    assert above.take() == "next"


def test_the_newest_picture_is_drawn_and_the_end_waits_for_it():
    """Pictures that come while one is drawn are left out, but for the last."""
    drawn, begun, may_go_on = [], threading.Semaphore(0), threading.Semaphore(0)

    def draw(picture):
        drawn.append(picture)
        begun.release()
        may_go_on.acquire()

    drawer = Drawer(draw)
    drawer.start()
    drawer.show("one")
    assert begun.acquire(timeout=5)
    for picture in ("two", "three"):
        drawer.show(picture)
    may_go_on.release()
    assert begun.acquire(timeout=5)
    may_go_on.release()

    assert drawer.end()
    assert drawn == ["one", "three"]


def test_a_terminal_that_takes_nothing_is_told(monkeypatch):
    """Whoever writes to it now would wait, too."""
    monkeypatch.setattr(terminal, "END_SECONDS_MAX", 0.01)
    begun, ends = threading.Event(), threading.Event()

    def draw(_):
        begun.set()
        ends.wait()

    drawer = Drawer(draw)
    drawer.start()
    drawer.show("one")
    assert begun.wait(5)
    assert not drawer.end()
    ends.set()


@pytest.mark.parametrize("error", [OSError("gone"), ValueError("closed")], ids=repr)
def test_a_terminal_that_is_gone_gets_no_more(error):
    """Its thread ends, and the end of the view has nothing to wait for."""
    tried = threading.Event()

    def draw(_):
        tried.set()
        raise error

    drawer = Drawer(draw)
    drawer.start()
    drawer.show("one")
    assert tried.wait(5)
    assert drawer.end()


def test_the_thread_holds_no_end_of_the_process():
    """A terminal after Ctrl-S would hold it for ever."""
    drawer = Drawer(lambda _: None)

    assert drawer._thread.daemon
    drawer.start()
    assert drawer.end()
