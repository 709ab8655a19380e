"""Who may ask what of a local venue: rights of keys, the window of timestamps, nonces, and weights."""

from collections import deque
from enum import StrEnum

import msgspec

from tradecore.domain.errors import InvalidValueError
from tradecore.testkit.local_venue.settings import SECOND_NS, LimitSetting

_NONCE_MAX = 64


class Right(StrEnum):
    """What a key is for."""

    TRADE = "trade"
    QUERY = "query"
    CANCEL = "cancel"
    TRUTH = "truth"


class Denied(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is not let in; it had no effect.

    Attributes
    ----------
    status : int
        Status of HTTP.
    code : str
        `unknown_key`, `wrong_signature`, `no_right`, `outside_window`, `nonce_used` or `too_many_requests`.
    words : str
        What is wrong, for people.
    retry_after_ns : int
        When it may be sent again, from now; 0 where that is not known.
    """

    status: int
    code: str
    words: str
    retry_after_ns: int = 0


class _Key:
    def __init__(self, account: str, rights: frozenset[Right], limits: LimitSetting) -> None:
        self.account = account
        self.rights = rights
        self.weight_ns = limits.burst * SECOND_NS
        self.filled_ns = 0
        self.nonces: set[str] = set()
        self.order: deque[tuple[int, str]] = deque()


class Access:
    """The keys of a venue and what each has used up. Secrets are not known here: who signs is checked before.

    Parameters
    ----------
    validity_window_ns : int
        How far a timestamp may be from the venue's clock.
    limits : LimitSetting
        Weights of requests.
    """

    def __init__(self, *, validity_window_ns: int, limits: LimitSetting) -> None:
        self._window_ns = validity_window_ns
        self._limits = limits
        self._keys: dict[str, _Key] = {}

    def add(self, key_id: str, account: str, rights: frozenset[Right]) -> None:
        """Let a key in."""
        if key_id in self._keys or not key_id:
            raise InvalidValueError("key_id", key_id, "must be a new one")
        self._keys[key_id] = _Key(account, rights, self._limits)

    def account(self, key_id: str) -> str | None:
        """Return whose key it is; `None` for an unknown one."""
        key = self._keys.get(key_id)
        return key.account if key is not None else None

    def check(self, key_id: str, right: Right, *, time_ns: int, nonce: str, now_ns: int) -> Denied | None:
        """Say why a signed request is not let in; one that is let in uses up its nonce.

        Parameters
        ----------
        key_id : str
            Who signed.
        right : Right
            What it takes; a key that may trade may cancel and query too, one that may cancel may query.
        time_ns, nonce
            What the request says.
        now_ns : int
            The venue's time.
        """
        key = self._keys.get(key_id)
        if key is None:
            return Denied(status=401, code="unknown_key", words="there is no such key")
        if not key.rights & _ENOUGH[right]:
            return Denied(status=403, code="no_right", words=f"this key has no right to {right.value}")
        if abs(now_ns - time_ns) > self._window_ns:
            words = f"the timestamp is {(time_ns - now_ns) / 1e9:+.3f} s from the venue's clock"
            return Denied(status=401, code="outside_window", words=words)
        # A nonce need not be remembered longer than its timestamp could be used.
        while key.order and key.order[0][0] + 2 * self._window_ns < now_ns:
            key.nonces.discard(key.order.popleft()[1])
        if not 0 < len(nonce) <= _NONCE_MAX or nonce in key.nonces:
            return Denied(status=401, code="nonce_used", words="this nonce was used before, or is no nonce")
        key.nonces.add(nonce)
        key.order.append((now_ns, nonce))
        return None

    def spend(self, key_id: str, endpoint: str, *, now_ns: int) -> tuple[Denied | None, int]:
        """Take the weight of a request from a key's budget; also return what is left of it."""
        key, limits = self._keys[key_id], self._limits
        if not limits.per_second:
            return None, limits.burst
        if now_ns > key.filled_ns:
            gained = (now_ns - key.filled_ns) * limits.per_second
            key.weight_ns = min(limits.burst * SECOND_NS, key.weight_ns + gained)
            key.filled_ns = now_ns
        needed = limits.weights.get(endpoint, 1) * SECOND_NS
        if key.weight_ns < needed:
            wait_ns = -(-(needed - key.weight_ns) // limits.per_second)
            words = f"more than {limits.per_second} requests of weight 1 in a second"
            denied = Denied(status=429, code="too_many_requests", words=words, retry_after_ns=wait_ns)
            return denied, key.weight_ns // SECOND_NS
        key.weight_ns -= needed
        return None, key.weight_ns // SECOND_NS


_ENOUGH = {
    Right.TRADE: frozenset({Right.TRADE}),
    Right.CANCEL: frozenset({Right.TRADE, Right.CANCEL}),
    Right.QUERY: frozenset({Right.TRADE, Right.CANCEL, Right.QUERY}),
    Right.TRUTH: frozenset({Right.TRUTH}),
}
