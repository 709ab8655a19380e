"""Who an engine takes for its own user, and whose keys a picture hides: nobody else's."""

import io
import os
import sys

import pytest

from tradecore_api import account_socket, echo

if sys.platform == "win32":
    pytest.skip("users and terminals of POSIX", allow_module_level=True)

OURS, OWNER, PARENT_OWNER = 1_000, 2_000, 3_000


@pytest.fixture
def is_ours(tmp_path, monkeypatch):
    """Return what asks whether a process of this user is ours, beside a directory of another one."""
    owners = {tmp_path / "state" / "one": OWNER, tmp_path / "state": PARENT_OWNER}

    class Place(type(tmp_path)):
        def stat(self, **_):
            if owners.get(self) is None:
                raise FileNotFoundError(self)
            return os.stat_result((0, 0, 0, 0, owners[self], 0, 0, 0, 0, 0))

    monkeypatch.setattr(os, "geteuid", lambda: OURS)

    def of(uid, *, without=()):
        for name in without:
            owners[tmp_path / name] = None
        monkeypatch.setattr(account_socket, "_peer", lambda connection: (1, uid, uid))
        return account_socket._is_ours(None, Place(tmp_path / "state" / "one"))

    return of


@pytest.mark.parametrize(
    ("uid", "expected"),
    [(OURS, True), (0, True), (OWNER, True), (PARENT_OWNER, False), (1, False), (4_000, False)],
)
def test_this_user_root_and_the_owner_of_the_state_are_ours(is_ours, uid, expected):
    """Nobody else is, whatever directory is above."""
    assert is_ours(uid) is expected


@pytest.mark.parametrize(("uid", "expected"), [(PARENT_OWNER, True), (OWNER, False)])
def test_where_there_is_no_state_yet_the_owner_of_the_directory_above_counts(is_ours, uid, expected):
    """He is who would make it; where that is gone too, nobody else is ours."""
    assert is_ours(uid, without=["state/one"]) is expected
    assert is_ours(uid, without=["state/one", "state"]) is False


@pytest.mark.parametrize("kind", ["none", "closed", "no terminal"])
def test_without_a_terminal_of_its_own_a_picture_hides_no_keys(monkeypatch, kind):
    """A program without standard input, with a closed one, or with a file in its place."""
    streams = {"none": None, "closed": io.TextIOWrapper(io.BytesIO()), "no terminal": io.StringIO()}
    streams["closed"].close()
    monkeypatch.setattr(sys, "stdin", streams[kind])
    assert echo._own_terminal() is None
    with echo.no_echo():
        pass


@pytest.mark.parametrize(("is_in_front", "descriptor"), [(True, 0), (False, None)])
def test_only_a_program_in_front_of_its_terminal_touches_it(monkeypatch, is_in_front, descriptor):
    """One in the background would be stopped."""
    monkeypatch.setattr(sys, "stdin", type("Stream", (), {"fileno": staticmethod(lambda: 0)})())
    monkeypatch.setattr(os, "tcgetpgrp", lambda number: os.getpgrp() + (not is_in_front))
    assert echo._own_terminal() == descriptor
