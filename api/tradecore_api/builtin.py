"""Configurations that come with the program."""


def binance() -> dict[str, object]:
    """Return the configuration of `tradecore run --feed binance`: paper quotes on BTCUSDT, 10,000 USDT."""
    return {
        "mode": "paper",
        "account": {"name": "binance-paper", "currency": "USDT", "cash": "10000"},
        "instruments": [
            {"symbol": "BTCUSDT", "tick_size": "0.01", "lot_size": "0.00001", "sequence": "binance_spot"}
        ],
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
