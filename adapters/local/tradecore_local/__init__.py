"""A venue on this machine over real sockets: its server, and the client that an engine trades through.

Both bring aiohttp and its tenth of a second of start-up, so they are imported by whoever needs them.
"""

from tradecore_local.key import Key

__all__ = ["Key"]
