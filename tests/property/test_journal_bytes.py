"""Arbitrary bytes are records, or one error, and nothing else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradecore.domain.errors import DataError, StorageError
from tradecore.domain.journal import (
    JournalFolder,
    decode_frames,
    encode_session,
)

GOLDEN = Path(__file__).parents[1] / "replay" / "format-1.journal"
FRAMES = JournalFolder(GOLDEN).reader().read_frames(1 << 20)


@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_decode_to_records_or_one_error(data: bytes) -> None:
    """Decoding returns a list or raises `DataError`."""
    try:
        records = decode_frames(data)
    except DataError:
        return
    assert (len(records) == 0) == (len(data) == 0)


@given(place=st.integers(0, len(FRAMES) - 1), flip=st.integers(1, 255))
def test_a_changed_frame_decodes_to_records_or_one_error(place: int, flip: int) -> None:
    """The codec alone, without the hash chain, never lets a changed byte out as anything else."""
    changed = bytearray(FRAMES)
    changed[place] ^= flip
    try:
        records = decode_frames(bytes(changed))
    except DataError:
        return
    assert records != []


@given(version=st.text(max_size=30), config=st.binary(max_size=200), time_ns=st.integers(-(2**63), 2**63 - 1))
def test_a_session_comes_back_as_it_went_in(version: str, config: bytes, time_ns: int) -> None:
    """Text and time survive; a configuration that is no text stays bytes."""
    [(kind, recorded_ns, fields)] = decode_frames(encode_session(time_ns, version, config))
    got = fields["config"]
    assert (kind, recorded_ns, fields["engine_version"]) == ("session", time_ns, version)
    assert (got.encode() if isinstance(got, str) else got) == config


@given(data=st.binary(max_size=400), is_ours=st.booleans())
def test_an_arbitrary_file_is_verified_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, is_ours: bool
) -> None:
    """Whatever follows a whole journal, or replaces it, no whole record is lost and none is made up."""
    path = tmp_path_factory.mktemp("journal") / "a.journal"
    whole = GOLDEN.read_bytes() if is_ours else b""
    path.write_bytes(whole + data)
    try:
        verdict = JournalFolder(path).verify()
    except StorageError:
        assert not is_ours
        return
    assert verdict.records == (29 if is_ours else 0)
    if verdict.status != "damaged":
        writer = JournalFolder(path).writer(0)
        assert writer.records == verdict.records
        writer.close()
        assert JournalFolder(path).verify().status == "intact"
