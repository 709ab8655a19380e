"""No byte of an order leaves before its record is synced, and none that risk has not approved."""

import shutil
import sys
from pathlib import Path

import pytest

from promises.wire.calls import calls
from promises.wire.look import look, messages
from promises.wire.streams import Stream
from promises.wire.watched import BENCHES, STRACE, watched

pytestmark = pytest.mark.slow

needs_strace = pytest.mark.skipif(
    STRACE is None or not sys.platform.startswith("linux"), reason="needs Linux and strace"
)
SUPPORT = Path(__file__).parents[1] / "support"
NAME = b"t000k2xk9000000044"


def seen(orders, strategy=None):
    """Watch an engine, with a strategy of ours."""
    more = {} if strategy is None else {"strategy": strategy}
    with watched(orders=orders, rate=100, seed=1, seconds_max=20.0, **more) as found:
        return look(found)


@pytest.fixture
def careless(tmp_path):
    """Return where the strategies are that break their engine."""
    for path in (SUPPORT / "careless_pace.py", BENCHES / "live_pace.py"):
        shutil.copy(path, tmp_path)
    return tmp_path / "careless_pace.py"


@needs_strace
@pytest.mark.timeout(180)
def test_each_order_was_durable_and_approved_before_its_first_byte_left():
    """As the system saw it: writes, syncs and sends of the process."""
    found = seen(50)
    assert (found.early, found.unequal) == ((), ())
    assert found.orders == found.approved > 30
    assert found.sends > found.orders


@needs_strace
@pytest.mark.timeout(180)
def test_an_engine_that_syncs_nothing_is_found(careless):
    """Its orders leave before their records are durable."""
    found = seen(30, f"{careless}:Unsynced")
    assert len(found.early) == found.sends > 10


@needs_strace
@pytest.mark.timeout(180)
def test_orders_that_are_sent_twice_are_found(careless):
    """Risk has approved each of them once."""
    found = seen(30, f"{careless}:Doubling")
    assert len(found.unequal) > 10


def frame(data, mask=b"abcd"):
    """Return a masked frame of a WebSocket, as a client sends it."""
    body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
    return bytes([0x82, 0x80 | 126]) + len(data).to_bytes(2, "big") + mask + body


def test_a_message_counts_from_its_first_byte_on():
    """However it is cut, and though it is masked."""
    stream, data = Stream(), frame(b'{"client_order_id":"' + NAME + b'"}' + b" " * 100)
    assert len(stream.take(b"GET /trade HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", 1)) == 1
    assert stream.take(data[:3], 2) == []
    assert stream.take(data[3:50], 3) == []
    (message,) = stream.take(data[50:] + data[:10], 4)
    assert (message.at, message.names) == (2, {NAME.decode()})
    (message,) = stream.take(data[10:], 5)
    assert message.at == 4


def test_what_is_written_while_a_sync_runs_does_not_count_as_synced(tmp_path):
    """Of a call that others come between, what counts of a sync is its end, and of a send its beginning."""
    header = b"TCBK" + (32).to_bytes(4, "little") + (5).to_bytes(4, "little") + bytes(4)
    first, second = (header + seq.to_bytes(8, "little") + bytes(8 + 64) for seq in (0, 5))
    post = b"POST /orders HTTP/1.1\r\nContent-Length: 18\r\n\r\n" + NAME
    size = len(post)
    lines = [
        f'7 write(3<{shown(b"/j")}>, "{shown(first)}", 96) = 96',
        f"7 fdatasync(3<{shown(b'/j')}> <unfinished ...>",
        f'8 write(3<{shown(b"/j")}>, "{shown(second)}", 96) = 96',
        f'8 sendto(4<TCP:[1->2]>, "{shown(post)}", {size}, 0, NULL, 0) = {size}',
        "7 <... fdatasync resumed>)          = 0",
        f'8 sendto(4<TCP:[1->2]>, "{shown(post)}", {size}, 0, NULL, 0) = {size}',
        f"7 fdatasync(3<{shown(b'/j')}>) = -1 EIO (Input/output error)",
        f'8 sendto(4<TCP:[1->2]>, "{shown(post)}", {size}, 0, NULL, 0) = {size}',
        f"7 fdatasync(3<{shown(b'/j')}>) = 0",
        f'8 sendto(4<TCP:[1->2]>, "{shown(post)}", {size}, 0, NULL, 0) = {size}',
    ]
    (tmp_path / "trace").write_text("\n".join(lines))
    found = list(messages(calls(tmp_path / "trace"), "/j"))
    assert [message.at for message in found] == [0, 5, 5, 10]
    assert all(message.names == {NAME.decode()} for message in found)


def shown(data):
    """Return bytes as `strace -xx` shows them."""
    return "".join(f"\\x{byte:02x}" for byte in data)
