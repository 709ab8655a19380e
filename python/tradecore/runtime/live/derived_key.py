"""Keys that sign what a live engine writes down; they are made of a venue's key and open nothing."""

import hashlib
import hmac
from typing import ClassVar, Self

import msgspec

from tradecore.domain.secret import Secret


class DerivedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key made of a venue's key for one purpose; nobody gets from one to the other.

    Attributes
    ----------
    key_id : str
        Its name: that of the venue's key.
    secret : Secret
        Signs.
    """

    purpose: ClassVar[bytes] = b""
    key_id: str
    secret: Secret

    @classmethod
    def of(cls, key_id: str, secret: Secret) -> Self:
        """Make the key of a venue's key."""
        digest = hmac.digest(secret.reveal().encode(), cls.purpose, "sha256").hex()
        return cls(key_id=key_id, secret=Secret(digest))

    def mac(self, signed: msgspec.Struct) -> str:
        """Return the signature of a value: HMAC-SHA256 over its JSON with sorted keys, hexadecimal."""
        text = msgspec.json.encode(signed, order="sorted")
        return hmac.digest(self.secret.reveal().encode(), text, hashlib.sha256).hex()
