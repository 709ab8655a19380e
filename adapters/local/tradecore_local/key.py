"""A key of the venue, and the signatures that are made with it."""

import hmac

import msgspec

from tradecore.domain.secret import Secret

KEY_HEADER = "X-Key"
TIME_HEADER = "X-Timestamp"
NONCE_HEADER = "X-Nonce"
SIGNATURE_HEADER = "X-Signature"


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """Name and secret of a key; the secret is never shown."""

    key_id: str
    secret: Secret

    def headers(self, method: str, path: str, body: bytes, *, time_ns: int, nonce: str) -> dict[str, str]:
        """Return the headers that sign a request; `path` is with its query."""
        return {
            KEY_HEADER: self.key_id,
            TIME_HEADER: str(time_ns),
            NONCE_HEADER: nonce,
            SIGNATURE_HEADER: signature(self.secret, method, path, body, time=str(time_ns), nonce=nonce),
        }


def signature(secret: Secret, method: str, path: str, body: bytes, *, time: str, nonce: str) -> str:
    """Return HMAC-SHA256 over method, path with query, time in nanoseconds, nonce and body, hexadecimal.

    Each of the first four ends with a line break, so that no two requests have the same text.
    """
    text = f"{method}\n{path}\n{time}\n{nonce}\n".encode() + body
    return hmac.digest(secret.reveal().encode(), text, "sha256").hex()


def is_signed(
    given: str, secret: Secret, method: str, path: str, body: bytes, *, time: str, nonce: str
) -> bool:
    """Say whether a signature is the right one, in a time that says nothing about the right one."""
    right = signature(secret, method, path, body, time=time, nonce=nonce)
    return hmac.compare_digest(given.encode(), right.encode())
