"""The hosts that a live account may reach: nobody sends a key, or an order, anywhere else."""

import ipaddress
import re
from urllib.parse import urlsplit

from tradecore.domain.errors import ConfigError
from tradecore_api.config.tables import Config, LiveTable, LiveVenue

# No name before an @, no backslash: what one parser takes for the host is it for all others.
_PLAIN = re.compile(r"(https?|wss?)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[!-~]*)?")

# Names of this machine under which the same venue answers.
_ONE_NAME = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}

# Venues that may be here without being named.
_OF_THIS_MACHINE = frozenset({LiveVenue.LOCAL})


def require_known(config: Config, live: LiveTable, url: str, setting: str | None = None) -> None:
    """Refuse a venue whose host the canary profile of the account does not name.

    A local venue may be on this machine without being named. `setting` is what says the address, where that
    is neither `url` nor `keys`.

    Raises
    ------
    ConfigError
        Names the host and what to write.
    """
    # It is named where it comes from.
    key = f"{config.key_of(live)}.{setting or ('keys' if live.url is None else 'url')}"
    if _PLAIN.fullmatch(url) is None:
        rule = "must be an address such as http://127.0.0.1:8765, with a plain host and no name before it"
        raise ConfigError(config.source_of(key), key, url, rule)
    parts = urlsplit(url)
    host = parts.hostname or ""
    canary = config.canary_of(live)
    venues = () if canary is None else canary.venues
    if host in venues or parts.netloc in venues:
        return
    if live.venue in _OF_THIS_MACHINE and is_this_machine(host):
        return
    known = ", ".join(venues) or "no other"
    rule = (
        f"is at a host that is not known: orders go to this machine and to {known}; "
        f"if it is right, write {parts.netloc!r} into `venues` of the canary profile and arm the engine again"
    )
    raise ConfigError(config.source_of(key), key, url, rule)


def place_of(url: str) -> str:
    """Return one name for an address, however it is written: by it two engines find that they meet."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme in ("https", "wss") else 80)
    return f"{_ONE_NAME.get(host, host)}:{port}{parts.path.rstrip('/')}"


def is_this_machine(host: str) -> bool:
    """Tell whether a host is this machine, whoever resolves its name."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
