"""What adapter authors test with: the promises of the ports as tests."""

from tradecore.testkit.market_feed import LiveFeedContract, MarketFeedContract, RecordedFeedContract

__all__ = ["LiveFeedContract", "MarketFeedContract", "RecordedFeedContract"]
