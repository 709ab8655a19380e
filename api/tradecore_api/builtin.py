"""Configurations that come with the program."""


def binance() -> dict[str, object]:
    """Return the configuration of `tradecore run --feed binance`: paper quotes on BTCUSDT, 10,000 USDT."""
    return {
        "mode": "paper",
        "account": {"name": "binance-paper", "currency": "USDT", "cash": "10000"},
        # How messages are numbered is left to the market: `--set feed.market=usdm` changes both.
        "instruments": [{"symbol": "BTCUSDT", "tick_size": "0.01", "lot_size": "0.00001"}],
        "feed": {"kind": "binance", "market": "spot"},
        "strategy": {"class": "tradecore_api.demo_strategies:Quoter"},
        "fees": {"maker_bps": "10", "taker_bps": "10"},
        "venue": {"order_latency_ns": 20_000_000, "report_latency_ns": 20_000_000},
        "risk": {
            "quantity_max": "0.01",
            "notional_max": "1000",
            "position_max": "0.02",
            "open_orders_max": 10,
            "order_rate_max": 50,
            "price_collar_bps": "200",
            "reference_age_max_ns": 5_000_000_000,
        },
    }


def demo(*, seed: int, seconds: float, is_virtual: bool) -> dict[str, object]:
    """Return the configuration of `tradecore demo`: two instruments, one strategy on each."""
    return {
        "mode": "paper",
        "account": {"name": "demo", "currency": "USD", "cash": "100000"},
        "instruments": [
            {"symbol": "BTC-USD", "tick_size": "0.01", "lot_size": "0.0001"},
            {"symbol": "ETH-USD", "tick_size": "0.01", "lot_size": "0.001"},
        ],
        "feed": {"kind": "simulated", "seed": seed, "seconds": seconds, "virtual": is_virtual},
        "strategies": [
            {
                "class": "tradecore_api.demo_strategies:Quoter",
                "instruments": ["BTC-USD"],
                "quantity": 0.01,
                "position_max": 0.05,
                "tolerance_ticks": 100,
            },
            {"class": "tradecore_api.demo_strategies:Trend", "instruments": ["ETH-USD"], "bars": "500ms"},
        ],
        "fees": {"maker_bps": "-1", "taker_bps": "5"},
        "venue": {"order_latency_ns": 2_000_000, "report_latency_ns": 2_000_000},
        "risk": {
            # Small enough for the quoting strategy to meet it now and then: refusals are part of the show.
            "quantity_max": "1",
            "notional_max": "50000",
            "position_max": "1",
            "open_orders_max": 4,
            "order_rate_max": 20,
            "price_collar_bps": "500",
        },
    }
