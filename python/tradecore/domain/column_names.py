"""Names under which tables of others have our columns, in lower case."""

TIME_NAMES = (
    "timestamp",
    "datetime",
    "date",
    "open_time",
    "open time",
    "opentime",
    "ts",
    "ts_event",
    "t",
    "__index_level_0__",
    "",
)
VOLUME_NAMES = ("vol",)
PRICE_NAMES = ("p",)
QUANTITY_NAMES = ("size", "amount", "qty", "volume", "q")
SIDE_NAMES = ("aggressor", "taker_side")
BUYER_MAKER_NAMES = ("is_buyer_maker", "isbuyermaker", "m")
BID_NAMES = ("bid_price",)
ASK_NAMES = ("ask_price",)
BID_SIZE_NAMES = ("bid_qty", "bid_amount")
ASK_SIZE_NAMES = ("ask_qty", "ask_amount")
# What a column is called that names the instrument of a row. Source: exports of Stooq, Databento, Tardis,
# Coinbase and CryptoDataDownload.
SYMBOL_NAMES = (
    "symbol",
    "ticker",
    "tic",
    "instrument",
    "instrument_id",
    "product_id",
    "pair",
    "contract",
    "isin",
)
