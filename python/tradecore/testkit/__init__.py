"""What adapter authors test with: the promises of the ports as tests, and a venue to try things on."""

from tradecore.testkit.history import HistoryContract
from tradecore.testkit.market_feed import LiveFeedContract, MarketFeedContract, RecordedFeedContract
from tradecore.testkit.read_model import ReadModelContract
from tradecore.testkit.secret_store import SecretStoreContract
from tradecore.testkit.venue import VenueContract

__all__ = [
    "HistoryContract",
    "LiveFeedContract",
    "MarketFeedContract",
    "ReadModelContract",
    "RecordedFeedContract",
    "SecretStoreContract",
    "VenueContract",
]
