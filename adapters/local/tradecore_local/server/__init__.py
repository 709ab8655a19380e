"""The venue's side: what adapters and engines are tried on. It serves the exchange of the testkit."""

from tradecore_local.server.service import KeyGrant
from tradecore_local.server.venue_server import LOOPBACK, LocalVenueServer

__all__ = ["LOOPBACK", "KeyGrant", "LocalVenueServer"]
