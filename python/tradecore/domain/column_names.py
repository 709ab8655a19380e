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
