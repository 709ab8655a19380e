"""What each store refuses, and what it leaves behind for others to find."""

import json
import os
import traceback
from pathlib import Path

import pytest

from tradecore.domain.errors import ConfigError
from tradecore_secrets import EnvironmentSecrets, FileSecrets, SystemdSecrets, private_bytes

CANARY = "canary-77"
KEY = json.dumps({"main": CANARY})


def written(path, content=KEY, mode=0o600):
    """Write a file of this mode; return its name."""
    path.write_text(content)
    path.chmod(mode)
    return str(path)


def refusal(store, name="main"):
    """Return what a store says, which no traceback may give away."""
    with pytest.raises(ConfigError) as caught:
        store.secret(name)
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert CANARY not in "".join(told.format())
    return str(caught.value)


async def test_variables_are_taken_out_of_the_environment():
    """A process that is started from here does not get them; whatever else is there stays."""
    variables = {"TRADECORE_SECRET_MAIN": CANARY, "TRADECORE_MODE": "live"}

    store = EnvironmentSecrets(variables)

    assert variables == {"TRADECORE_MODE": "live"}
    assert (store.secret("main")).reveal() == CANARY
    variables["TRADECORE_SECRET_MAIN"] = "another"
    assert (store.secret("main")).reveal() == "another"
    assert variables == {"TRADECORE_MODE": "live"}


async def test_the_environment_of_the_process_is_what_it_looks_at(monkeypatch):
    """By default."""
    monkeypatch.setenv("TRADECORE_SECRET_MAIN", CANARY)

    store = EnvironmentSecrets()

    assert "TRADECORE_SECRET_MAIN" not in os.environ
    assert (store.secret("main")).reveal() == CANARY


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o602, 0o620, 0o601, 0o610, 0o644, 0o666])
async def test_a_file_that_others_can_open_is_refused(tmp_path, mode):
    """Each bit of the group and of others by itself."""
    said = refusal(FileSecrets(written(tmp_path / "s.json", mode=mode), source="live.toml", key="k"))

    assert f"(mode {mode:04o})" in said
    assert "chmod 600" in said


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
async def test_a_file_of_the_owner_alone_is_read(tmp_path, mode):
    """What the owner may do with it is the owner's business."""
    found = FileSecrets(written(tmp_path / "s.json", mode=mode)).secret("main")

    assert found.reveal() == CANARY


async def test_a_link_is_refused_and_nothing_behind_it_read(tmp_path):
    """Whoever may make links in a directory could lead the engine to another file."""
    written(tmp_path / "real.json")
    (tmp_path / "s.json").symlink_to(tmp_path / "real.json")

    assert "is a symbolic link" in refusal(FileSecrets(str(tmp_path / "s.json")))


@pytest.mark.timeout(5)
async def test_a_pipe_or_a_directory_is_refused_at_once(tmp_path):
    """A pipe without a writer would hold the start for ever."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(mode=0o700)

    for name in ("pipe", "folder"):
        assert "is no file" in refusal(FileSecrets(str(tmp_path / name)))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
async def test_a_file_of_another_user_is_refused(tmp_path):
    """It is that user's to change."""
    path = written(tmp_path / "s.json")
    os.chown(path, 12_345, -1)

    assert "belongs to another user (number 12345)" in refusal(FileSecrets(path))


def test_the_file_that_was_looked_at_is_the_file_that_is_read(tmp_path, monkeypatch):
    """One that is put in its place between the two is not read: the open file is asked, not its name."""
    path = written(tmp_path / "s.json")
    looked = os.fstat

    def swapped(descriptor):
        found = looked(descriptor)
        Path(written(tmp_path / "other", "another", 0o666)).replace(path)
        return found

    monkeypatch.setattr(os, "fstat", swapped)

    assert private_bytes(path, source="test", key="path") == KEY.encode()


@pytest.mark.parametrize(
    "content", ["", "[]", '"x"', '{"main": 5', f'{{"main": "{CANARY}', '{"main": "\\ud800"}', "\x00"]
)
async def test_a_file_that_is_none_of_secrets_is_refused_without_its_content(tmp_path, content):
    """Half a file has secrets too."""
    assert "is no file of secrets" in refusal(FileSecrets(written(tmp_path / "s.json", content)))


async def test_a_file_is_read_anew_for_each_secret(tmp_path):
    """Keys that were changed are used at the next start of a session in the same process."""
    store = FileSecrets(written(tmp_path / "s.json"))
    store.secret("main")
    written(tmp_path / "s.json", json.dumps({"main": {"key_id": "k", "secret": "s"}}))

    assert json.loads((store.secret("main")).reveal()) == {"key_id": "k", "secret": "s"}


async def test_a_file_that_is_too_long_is_refused(tmp_path):
    """64 KiB are more than any key has."""
    assert FileSecrets(written(tmp_path / "s.json", KEY + " " * (65_536 - len(KEY)))).secret("main")
    assert "at most 65536" in refusal(
        FileSecrets(written(tmp_path / "t.json", KEY + " " * (65_537 - len(KEY))))
    )


async def test_credentials_end_with_their_last_line(tmp_path):
    """`echo` adds a line break that nobody means; one only."""
    written(tmp_path / "main", f"{CANARY}\n\n", 0o440)

    found = SystemdSecrets({"CREDENTIALS_DIRECTORY": str(tmp_path)}).secret("main")

    assert found.reveal() == f"{CANARY}\n"


@pytest.mark.parametrize(
    ("environment", "says"),
    [({}, "LoadCredential=main:FILE"), ({"CREDENTIALS_DIRECTORY": "here"}, "LoadCredential=main:FILE")],
)
async def test_a_process_that_is_no_service_has_no_credentials(environment, says):
    """The message says how one gets them."""
    assert says in refusal(SystemdSecrets(environment))


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [(b"\n", 0o400, "is empty"), (b"\xff", 0o400, "UTF-8"), (b"x", 0o404, "mode 0404")],
)
async def test_a_credential_that_will_not_do_is_refused(tmp_path, content, mode, says):
    """Empty, no text, or open to all."""
    (tmp_path / "main").write_bytes(content)
    (tmp_path / "main").chmod(mode)

    assert says in refusal(SystemdSecrets({"CREDENTIALS_DIRECTORY": str(tmp_path)}))
