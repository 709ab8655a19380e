"""Measured latencies of orders."""

import gzip

import numpy as np
import pytest

from tradecore.domain import DataError, LatencySamples
from tradecore_files import load_latency

START_NS = 1_723_161_253_000_000_000
ROWS = ((0, 1_000_000, 3_000_000), (1_000_000_000, 1_002_000_000, 1_002_500_000))


def text_of(rows, header="request_ns,venue_ns,response_ns"):
    """Write rows of nanoseconds after the start."""
    lines = [",".join(str(START_NS + value) for value in row) for row in rows]
    return "\n".join([header, *lines] if header else lines) + "\n"


def write(tmp_path, text):
    """Write a file and return its path."""
    path = tmp_path / "latency.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "header", ["request_ns,venue_ns,response_ns", "req_ts,exch_ts,resp_ts", "time,venue_ns,response_ns", ""]
)
def test_latencies_are_the_same_under_every_name_of_their_columns(tmp_path, header):
    """Our names, those of hftbacktest, and none: the digest is that of the values alone."""
    columns = (START_NS + np.array(ROWS, dtype=np.int64)).T.copy()

    samples = load_latency(write(tmp_path, text_of(ROWS, header)))

    assert len(samples) == 2
    assert samples.digest == LatencySamples(*columns).digest


def test_a_packed_file_has_the_digest_of_its_values(tmp_path):
    """Gzip changes the bytes of the file and nothing else."""
    plain = write(tmp_path, text_of(ROWS))
    packed = tmp_path / "latency.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    assert load_latency(packed).digest == load_latency(plain).digest


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([(5, 4, 6)], "line 2: venue_ns"),
        ([*ROWS, (2_000_000_000, 2_000_000_001, 2_000_000_000)], "line 4: response_ns"),
        ([ROWS[1], ROWS[0]], "line 3: time"),
        ([(0, 900, 950), (10, 800, 950)], "line 3: venue_ns"),
        ([], "has no rows"),
    ],
)
def test_latencies_that_cannot_be_are_refused_with_their_line(tmp_path, rows, says):
    """File, line, column, value and rule."""
    with pytest.raises(DataError) as caught:
        load_latency(write(tmp_path, text_of(rows)))

    assert says in str(caught.value)
    assert "latency.csv" in str(caught.value)


def test_a_request_that_the_venue_did_not_take_is_refused(tmp_path):
    """A venue's time of 0 is no latency."""
    path = write(tmp_path, f"request_ns,venue_ns,response_ns\n{START_NS},0,{START_NS + 5}\n")

    with pytest.raises(DataError, match="venue_ns"):
        load_latency(path)


def test_two_requests_may_reach_the_venue_at_one_time(tmp_path):
    """Requests leave one after the other; a venue that takes both at once, or answers both, is no error."""
    rows = [(0, 900, 950), (10, 900, 950), (20, 900, 1_000)]

    assert len(load_latency(write(tmp_path, text_of(rows)))) == 3
    with pytest.raises(DataError, match="line 3: time"):
        load_latency(write(tmp_path, text_of([(0, 900, 950), (0, 901, 950)])))
