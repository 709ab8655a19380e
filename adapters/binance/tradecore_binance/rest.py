"""Public REST calls that obey the venue when it says to slow down."""

from http import HTTPStatus
from typing import NamedTuple

import aiohttp

from tradecore.domain import VenueError
from tradecore.domain.quoted import error_text

NANOSECONDS_PER_SECOND = 1_000_000_000
# Asked to slow down without being told for how long.
_RETRY_AFTER_DEFAULT_NS = 30 * NANOSECONDS_PER_SECOND
_SLOW_DOWN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.IM_A_TEAPOT)
_SHOWN_BYTES_MAX = 200
# No answer of the venue is as long as that, unpacked; one without an end would fill the memory.
_ANSWER_BYTES_MAX = 1 << 27
_USED_WEIGHT = "X-MBX-USED-WEIGHT-1M"


class Answer(NamedTuple):
    """What came back, and how much weight the venue says was used in this minute; 0 where it does not."""

    body: bytes
    used_weight: int


async def get(
    session: aiohttp.ClientSession, url: str, parameters: dict[str, str], *, timeout_seconds: float = 10.0
) -> bytes:
    """Return the body of an answer.

    Raises
    ------
    VenueError
        For any other answer or none; 429 (slow down) and 418 (banned for a while) carry `retry_after_ns`.
    """
    return (await weighed(session, url, parameters, timeout_seconds=timeout_seconds)).body


async def weighed(
    session: aiohttp.ClientSession, url: str, parameters: dict[str, str], *, timeout_seconds: float = 10.0
) -> Answer:
    """Return an answer with what it cost; raises as `get` does."""
    timeout = aiohttp.ClientTimeout(total=timeout_seconds)
    try:
        async with session.get(url, params=parameters, timeout=timeout) as response:
            body = await _body(response)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise VenueError(f"{url}: no answer: {error_text(error)}") from error
    if response.status == HTTPStatus.OK:
        return Answer(body, _number(response.headers.get(_USED_WEIGHT)) or 0)
    shown = body[:_SHOWN_BYTES_MAX].decode(errors="replace")
    message = f"{url}: answered {response.status}: {shown}"
    if response.status in _SLOW_DOWN:
        raise VenueError(message, _retry_after_ns(response.headers.get("Retry-After")))
    raise VenueError(message)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of an answer; raises `aiohttp.ClientPayloadError` when it is too long to be one."""
    parts: list[bytes] = []
    left = _ANSWER_BYTES_MAX
    async for part in response.content.iter_any():
        left -= len(part)
        if left < 0:
            response.close()
            raise aiohttp.ClientPayloadError(f"the answer has more than {_ANSWER_BYTES_MAX} bytes")
        parts.append(part)
    return b"".join(parts)


def _retry_after_ns(seconds: str | None) -> int:
    number = _number(seconds)
    return _RETRY_AFTER_DEFAULT_NS if number is None else number * NANOSECONDS_PER_SECOND


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None
