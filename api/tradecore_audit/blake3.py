"""BLAKE3 for many short messages at a time: a column of numpy for each of them.

A chain of hashes cannot be worked out in parallel, but a journal says the head after each block: from each of
those on the frames of a block follow, all blocks at once. Source: O'Connor, Aumasson, Neves, Wilcox-O'Hearn
(2020), BLAKE3, section 2.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

HASH_BYTES = 32
CHUNK_BYTES = 1_024
_BLOCK_BYTES = 64
_CHUNK_START, _CHUNK_END, _PARENT, _ROOT = 1, 2, 4, 8
_IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
_PERMUTED = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
_MASK = 0xFFFFFFFF
# Below so many messages a loop over plain integers is faster.
_COLUMNS_MIN = 6
# Which words are mixed where: columns first, then diagonals.
_PLACES = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip

Words = NDArray[np.uint32]


def _schedule() -> tuple[tuple[int, ...], ...]:
    rounds, order = [], tuple(range(16))
    for _ in range(7):
        rounds.append(order)
        order = tuple(order[place] for place in _PERMUTED)
    return tuple(rounds)


_ROUNDS = _schedule()
_FIRST = tuple(np.array([order[at] for at in (0, 2, 4, 6)]) for order in _ROUNDS)
_SECOND = tuple(np.array([order[at] for at in (1, 3, 5, 7)]) for order in _ROUNDS)
_THIRD = tuple(np.array([order[at] for at in (8, 10, 12, 14)]) for order in _ROUNDS)
_FOURTH = tuple(np.array([order[at] for at in (9, 11, 13, 15)]) for order in _ROUNDS)
_LEFT, _HALF, _RIGHT = np.array([1, 2, 3, 0]), np.array([2, 3, 0, 1]), np.array([3, 0, 1, 2])


def digest(message: bytes) -> bytes:
    """Return the hash of one message of any length."""
    if len(message) <= CHUNK_BYTES:
        return _bytes_of(_chunk(message, 0, _ROOT))
    pieces = [message[at : at + CHUNK_BYTES] for at in range(0, len(message), CHUNK_BYTES)]
    values = _chunks(pieces)
    while len(values) > 1:
        pairs = [values[at] + values[at + 1] for at in range(0, len(values) - 1, 2)]
        rest = values[len(pairs) * 2 :]
        values = _parents(pairs, _ROOT if len(values) == 2 else 0) + rest
    return values[0]


def after(heads: Sequence[bytes], frames: Sequence[bytes]) -> list[bytes]:
    """Return the hash of each head with its frame behind it."""
    if len(heads) < _COLUMNS_MIN:
        return [digest(head + frame) for head, frame in zip(heads, frames, strict=True)]
    short = [at for at, frame in enumerate(frames) if len(frame) <= CHUNK_BYTES - HASH_BYTES]
    found = list(heads)
    if len(short) < len(frames):
        is_short = set(short)
        for at, frame in enumerate(frames):
            if at not in is_short:
                found[at] = digest(heads[at] + frame)
    # The longest first, so that those with one more block are always the first ones.
    short.sort(key=lambda at: -len(frames[at]))
    values = _short_chunks([heads[at] + frames[at] for at in short], 0, _ROOT)
    for at, value in zip(short, values, strict=True):
        found[at] = value
    return found


def _chunks(pieces: Sequence[bytes]) -> list[bytes]:
    """Return the values of the chunks of a message; all but the last are whole."""
    if len(pieces) < _COLUMNS_MIN:
        return [_bytes_of(_chunk(piece, number, 0)) for number, piece in enumerate(pieces)]
    return [*_short_chunks(pieces[:-1], 0, 0), _bytes_of(_chunk(pieces[-1], len(pieces) - 1, 0))]


def _short_chunks(pieces: Sequence[bytes], counter: int, last_flags: int) -> list[bytes]:
    """Return the values of many chunks, the longest first; without `last_flags` they count from `counter`."""
    if not pieces:
        return []
    sizes = np.array([len(piece) for piece in pieces], dtype=np.uint32)
    blocks = np.maximum(-(-sizes.astype(np.int64) // _BLOCK_BYTES), 1)
    width = int(blocks[0]) * _BLOCK_BYTES
    joined = b"".join([piece.ljust(width, b"\0") for piece in pieces])
    words = np.frombuffer(joined, dtype="<u4").reshape(len(pieces), width // 4)
    count = len(pieces)
    numbers = (
        np.zeros(count, np.uint32) if last_flags else np.arange(counter, counter + count, dtype=np.uint32)
    )
    value: Words = np.repeat(np.array(_IV, dtype=np.uint32)[:, None], count, axis=1)
    for block in range(int(blocks[0])):
        active = int(np.searchsorted(-blocks, -block, side="left"))
        is_last = blocks[:active] == block + 1
        flags = np.where(is_last, np.uint32(_CHUNK_END | last_flags), np.uint32(0))
        if block == 0:
            flags |= np.uint32(_CHUNK_START)
        length = np.where(is_last, sizes[:active] - np.uint32(block * _BLOCK_BYTES), np.uint32(_BLOCK_BYTES))
        part = np.ascontiguousarray(words[:active, block * 16 : block * 16 + 16].T)
        value[:, :active] = _compressed(
            value[:, :active], part, numbers[:active], length.astype(np.uint32), flags.astype(np.uint32)
        )
    return _rows(value)


def _parents(pairs: Sequence[bytes], flags: int) -> list[bytes]:
    if len(pairs) < _COLUMNS_MIN:
        return [_bytes_of(_plain(_IV, _words_of(pair), 0, _BLOCK_BYTES, _PARENT | flags)) for pair in pairs]
    count = len(pairs)
    part = np.ascontiguousarray(np.frombuffer(b"".join(pairs), dtype="<u4").reshape(count, 16).T)
    value = np.repeat(np.array(_IV, dtype=np.uint32)[:, None], count, axis=1)
    numbers, length = np.zeros(count, np.uint32), np.full(count, _BLOCK_BYTES, np.uint32)
    return _rows(_compressed(value, part, numbers, length, np.full(count, _PARENT | flags, np.uint32)))


def _rows(value: Words) -> list[bytes]:
    joined = np.ascontiguousarray(value.T).astype("<u4").tobytes()
    return [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]


def _compressed(value: Words, part: Words, counter: Words, length: Words, flags: Words) -> Words:
    """Return the values after one block of each message."""
    count = value.shape[1]
    a, b = value[:4].copy(), value[4:].copy()
    c = np.repeat(np.array(_IV[:4], dtype=np.uint32)[:, None], count, axis=1)
    d = np.stack([counter, np.zeros(count, np.uint32), length, flags])
    for first, second, third, fourth in zip(_FIRST, _SECOND, _THIRD, _FOURTH, strict=True):
        a, b, c, d = _mixed(a, b, c, d, part[first], part[second])
        b, c, d = b[_LEFT], c[_HALF], d[_RIGHT]
        a, b, c, d = _mixed(a, b, c, d, part[third], part[fourth])
        b, c, d = b[_RIGHT], c[_HALF], d[_LEFT]
    return np.concatenate([a ^ c, b ^ d])


def _mixed(
    a: Words, b: Words, c: Words, d: Words, first: Words, second: Words
) -> tuple[Words, Words, Words, Words]:
    for given, far, near in ((first, 16, 12), (second, 8, 7)):
        a += b
        a += given
        d ^= a
        d = (d >> np.uint32(far)) | (d << np.uint32(32 - far))
        c += d
        b ^= c
        b = (b >> np.uint32(near)) | (b << np.uint32(32 - near))
    return a, b, c, d


def _chunk(piece: bytes, counter: int, last_flags: int) -> Sequence[int]:
    """Return the value of one chunk."""
    value: Sequence[int] = _IV
    blocks = max(-(-len(piece) // _BLOCK_BYTES), 1)
    for block in range(blocks):
        part = piece[block * _BLOCK_BYTES : (block + 1) * _BLOCK_BYTES]
        flags = (_CHUNK_START if block == 0 else 0) | (_CHUNK_END | last_flags if block == blocks - 1 else 0)
        value = _plain(value, _words_of(part.ljust(_BLOCK_BYTES, b"\0")), counter, len(part), flags)
    return value


def _plain(value: Sequence[int], part: Sequence[int], counter: int, length: int, flags: int) -> Sequence[int]:
    state = [*value, *_IV[:4], counter & _MASK, counter >> 32, length, flags]
    for order in _ROUNDS:
        for place, (i, j, k, m) in enumerate(_PLACES):
            a, b, c, d = state[i], state[j], state[k], state[m]
            a = (a + b + part[order[2 * place]]) & _MASK
            d ^= a
            d = (d >> 16) | (d << 16) & _MASK
            c = (c + d) & _MASK
            b ^= c
            b = (b >> 12) | (b << 20) & _MASK
            a = (a + b + part[order[2 * place + 1]]) & _MASK
            d ^= a
            d = (d >> 8) | (d << 24) & _MASK
            c = (c + d) & _MASK
            b ^= c
            state[i], state[j], state[k], state[m] = a, (b >> 7) | (b << 25) & _MASK, c, d
    return [state[at] ^ state[at + 8] for at in range(8)]


def _words_of(block: bytes) -> Sequence[int]:
    return [int.from_bytes(block[at : at + 4], "little") for at in range(0, len(block), 4)]


def _bytes_of(value: Sequence[int]) -> bytes:
    return b"".join([word.to_bytes(4, "little") for word in value])
