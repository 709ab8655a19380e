"""What a configuration needs to run in real time."""

from tradecore.domain.errors import ConfigError
from tradecore.domain.spec import Mode
from tradecore_api.config.tables import Config
from tradecore_api.wiring import feeds


def runnable(config: Config) -> Config:
    """Return a configuration that can run, what its feed says about itself filled in.

    Raises
    ------
    ConfigError
        When it is of a backtest, or lacks a feed or a strategy.
    DataError
        When a capture cannot be read.
    """
    if config.tables.mode is Mode.BACKTEST:
        rule = "run knows shadow, paper and live; use `tradecore backtest` for the past"
        raise ConfigError(config.source_of("mode"), "mode", "backtest", rule)
    if config.tables.feed is None:
        raise ConfigError(config.source, "feed", None, "is missing: run needs [feed]")
    if not config.strategies:
        raise ConfigError(
            config.source, "strategy", None, "is missing: run needs [strategy] or [[strategies]]"
        )
    return feeds.completed(config)
