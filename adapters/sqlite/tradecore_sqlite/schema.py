"""The tables of the read model.

Numbers are as the journal has them: prices whole ticks, sizes whole lots, times UTC nanoseconds, money text
in atto units (10^-18), because it may need more than 64 bits. Beside them stands what they mean, as text:
names, and exact decimals for prices, sizes and money. It is empty where a session's settings cannot be read.
"""

VERSION = 12

# Since version 3.
_NEWER_TABLES = """
-- Hash of the chain up to `next_seq`: which journal the tables are of.
CREATE TABLE journal (head TEXT NOT NULL) STRICT;
INSERT INTO journal VALUES ('');

CREATE TABLE requests (
    seq INTEGER PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    request TEXT NOT NULL,
    price_ticks INTEGER,
    lots INTEGER
) STRICT;
CREATE INDEX requests_of_order ON requests (order_id);

CREATE TABLE cash_flows (
    seq INTEGER PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    due_ns INTEGER NOT NULL,
    strategy INTEGER NOT NULL,
    instrument INTEGER NOT NULL,
    kind TEXT NOT NULL,
    amount_atto TEXT NOT NULL
) STRICT;

CREATE TABLE liquidations (
    seq INTEGER PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    strategy INTEGER NOT NULL,
    instrument INTEGER NOT NULL,
    price_ticks INTEGER NOT NULL,
    position_lots INTEGER NOT NULL,
    equity_atto TEXT NOT NULL,
    maintenance_atto TEXT NOT NULL
) STRICT;

CREATE TABLE margin_changes (
    seq INTEGER PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    strategy INTEGER NOT NULL,
    instrument INTEGER NOT NULL,
    amount_atto TEXT NOT NULL
) STRICT;
"""

# Since version 6.
_ACCOUNT_TABLES = """
-- What the account was told of itself: `opening` (its cash is the amount), `adjustment`, `transfer` or
-- `conversion`.
CREATE TABLE account_events (
    seq INTEGER PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    kind TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_atto TEXT NOT NULL,
    reason TEXT NOT NULL,
    journal_before TEXT
) STRICT;

-- Lots that were open when the account began.
CREATE TABLE opening_lots (
    seq INTEGER NOT NULL,
    place INTEGER NOT NULL,
    strategy INTEGER NOT NULL,
    instrument INTEGER NOT NULL,
    entry_order INTEGER NOT NULL,
    entry_time_ns INTEGER NOT NULL,
    entry_ticks INTEGER NOT NULL,
    lots INTEGER NOT NULL,
    fee_atto TEXT NOT NULL,
    PRIMARY KEY (seq, place)
) STRICT, WITHOUT ROWID;
"""

# Since version 7.
_EQUITY = """
-- The equity over time: a row for each minute in which money or a position changed, for each hour in which
-- anything happened, and for each end of a session; all that happened until then counts. `profit` is equity
-- less what the owner brought, `drawdown` how far it is below its highest so far, which begins at 0.
CREATE TABLE equity (
    seq INTEGER PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    currency TEXT NOT NULL,
    cash_atto TEXT NOT NULL,
    equity_atto TEXT NOT NULL,
    exposure_atto TEXT NOT NULL,
    profit_atto TEXT NOT NULL,
    highest_profit_atto TEXT NOT NULL,
    cash TEXT NOT NULL,
    equity TEXT NOT NULL,
    exposure TEXT NOT NULL,
    profit TEXT NOT NULL,
    drawdown TEXT NOT NULL
) STRICT;

-- The last row of each day (UTC).
CREATE VIEW equity_by_day AS
    SELECT date(time_ns / 1000000000, 'unixepoch') AS day, MAX(seq) AS seq, time_ns, currency, cash, equity,
           exposure, profit, drawdown
    FROM equity GROUP BY day;

-- What waits or is open, however many orders have ended.
CREATE INDEX open_orders ON orders (order_id) WHERE closed_ns IS NULL;
"""

# Since version 4.
_BINDING = """
-- Which journal the tables are of: SHA-256 of its first frame, empty before that; and where it was then.
CREATE TABLE source (first TEXT NOT NULL, path TEXT NOT NULL) STRICT;
INSERT INTO source VALUES ('', '');
"""

_OLDER_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('next_seq', 0);

CREATE TABLE sessions (
    seq INTEGER PRIMARY KEY,
    started_ns INTEGER NOT NULL,
    engine_version TEXT NOT NULL,
    config TEXT NOT NULL,
    ended_ns INTEGER,
    end_reason TEXT
) STRICT;

CREATE TABLE orders (
    order_id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    time_ns INTEGER NOT NULL,
    strategy INTEGER NOT NULL,
    instrument INTEGER NOT NULL,
    side TEXT NOT NULL,
    kind TEXT NOT NULL,
    price_ticks INTEGER,
    lots INTEGER,
    time_in_force TEXT NOT NULL,
    state TEXT NOT NULL,
    filled_lots INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    closed_ns INTEGER,
    details TEXT NOT NULL,
    after_order_id INTEGER,
    oco_order_id INTEGER,
    sent_ns INTEGER
) STRICT;

CREATE TABLE fills (
    seq INTEGER PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    venue_time_ns INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    strategy INTEGER,
    instrument INTEGER,
    side TEXT,
    price_ticks INTEGER NOT NULL,
    lots INTEGER NOT NULL,
    liquidity TEXT NOT NULL,
    fee_atto TEXT NOT NULL
) STRICT;
CREATE INDEX fills_of_order ON fills (order_id);

CREATE TABLE refusals (
    seq INTEGER PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    strategy INTEGER NOT NULL,
    instrument INTEGER NOT NULL,
    rule TEXT NOT NULL,
    limit_value TEXT NOT NULL,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE decisions (
    seq INTEGER PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    strategy INTEGER NOT NULL,
    instrument INTEGER NOT NULL,
    action INTEGER NOT NULL,
    reason TEXT NOT NULL,
    gates TEXT NOT NULL
) STRICT;

CREATE TABLE commands (
    seq INTEGER PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    command TEXT NOT NULL,
    scope TEXT,
    scope_id INTEGER,
    limit_name TEXT,
    value TEXT,
    instrument INTEGER,
    person TEXT
) STRICT;

"""

_VIEWS = """
-- A view, so that a position is the sum of its fills and of what the account began with, and nothing else.
CREATE VIEW positions AS
    SELECT strategy, instrument, SUM(lots) AS lots, SUM(fills) AS fills, MAX(time_ns) AS time_ns
    FROM (
        SELECT strategy, instrument, CASE side WHEN 'buy' THEN lots ELSE -lots END AS lots, 1 AS fills,
               time_ns
        FROM fills
        UNION ALL
        SELECT strategy, instrument, lots, 0, account_events.time_ns
        FROM opening_lots JOIN account_events USING (seq)
    )
    GROUP BY strategy, instrument;
"""

# Since version 11.
_REVISIONS = """
-- Trades that the venue told anew: `corrected`, `busted` or `restored`. What one was (`was_`) is taken back,
-- and what it is from here on is booked. In `fills` a trade stays as it was told first.
CREATE TABLE revisions (
    seq INTEGER PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    venue_time_ns INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    strategy INTEGER NOT NULL,
    instrument INTEGER NOT NULL,
    side TEXT NOT NULL,
    closes INTEGER,
    trade_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    revised TEXT NOT NULL,
    was_price_ticks INTEGER,
    was_lots INTEGER,
    was_fee_atto TEXT,
    price_ticks INTEGER,
    lots INTEGER,
    fee_atto TEXT,
    strategy_name TEXT,
    symbol TEXT,
    was_price TEXT,
    was_quantity TEXT,
    was_fee TEXT,
    was_fee_currency TEXT,
    price TEXT,
    quantity TEXT,
    fee TEXT,
    fee_currency TEXT,
    account TEXT
) STRICT;
CREATE INDEX revisions_of_order ON revisions (order_id);

DROP VIEW positions;
-- A view, so that a position is the sum of its fills, of what was told anew of them and of what the account
-- began with, and nothing else.
CREATE VIEW positions AS
    SELECT strategy, instrument, SUM(lots) AS lots, SUM(fills) AS fills, MAX(time_ns) AS time_ns,
           MAX(account) AS account
    FROM (
        SELECT strategy, instrument, CASE side WHEN 'buy' THEN lots ELSE -lots END AS lots, 1 AS fills,
               time_ns, account
        FROM fills
        UNION ALL
        SELECT strategy, instrument,
               (IFNULL(lots, 0) - IFNULL(was_lots, 0)) * CASE side WHEN 'buy' THEN 1 ELSE -1 END,
               (lots IS NOT NULL) - (was_lots IS NOT NULL), time_ns, account
        FROM revisions
        UNION ALL
        SELECT strategy, instrument, lots, 0, account_events.time_ns, opening_lots.account
        FROM opening_lots JOIN account_events USING (seq)
    )
    GROUP BY strategy, instrument;
"""

# Since version 12.
_TICKETS = """
-- Where positions hedge, what each entry order opened and what is left of it, by the last telling of each
-- trade: what its entry and what closes it have traded, added up. `closed_ns` is when nothing was left.
CREATE VIEW tickets AS
    WITH config AS (SELECT config FROM sessions ORDER BY seq DESC LIMIT 1),
    hedged (account) AS (
        SELECT json_extract(config, '$.engine.account.name') FROM config
        WHERE json_extract(config, '$.engine.account.positions') = 'hedging'
        UNION
        SELECT json_extract(value, '$.name') FROM config, json_each(config, '$.engine.accounts')
        WHERE json_extract(value, '$.positions') = 'hedging'
    ),
    traded AS (
        SELECT order_id, strategy, instrument, account, time_ns,
               CASE side WHEN 'buy' THEN lots ELSE -lots END AS lots
        FROM fills
        UNION ALL
        SELECT order_id, strategy, instrument, account, time_ns,
               (IFNULL(lots, 0) - IFNULL(was_lots, 0)) * CASE side WHEN 'buy' THEN 1 ELSE -1 END
        FROM revisions
        UNION ALL
        SELECT entry_order, strategy, instrument, opening_lots.account, entry_time_ns, lots
        FROM opening_lots
    ),
    of_tickets AS (
        SELECT (
            WITH RECURSIVE up (order_id, closes) AS (
                VALUES (traded.order_id,
                        (SELECT json_extract(details, '$.closes') FROM orders
                         WHERE orders.order_id = traded.order_id))
                UNION ALL
                SELECT up.closes, (SELECT json_extract(details, '$.closes') FROM orders
                                   WHERE orders.order_id = up.closes)
                FROM up WHERE up.closes IS NOT NULL
            )
            SELECT order_id FROM up WHERE closes IS NULL
        ) AS ticket, traded.*
        FROM traded WHERE account IN (SELECT account FROM hedged)
    )
    SELECT ticket, strategy, instrument, account,
           CASE WHEN SUM(lots * (order_id = ticket)) < 0 THEN 'short' ELSE 'long' END AS side,
           ABS(SUM(lots * (order_id = ticket))) AS opened_lots,
           ABS(SUM(lots * (order_id <> ticket))) AS closed_lots, SUM(lots) AS lots,
           MIN(time_ns) AS opened_ns, CASE SUM(lots) WHEN 0 THEN MAX(time_ns) END AS closed_ns
    FROM of_tickets GROUP BY ticket, strategy, instrument, account;
"""

# Since version 6: what the numbers of a row mean, at the end of the row, all of it text.
READABLE = {
    "orders": ("strategy_name", "symbol", "price", "quantity", "filled"),
    "fills": ("strategy_name", "symbol", "price", "quantity", "fee"),
    "refusals": ("strategy_name", "symbol"),
    "decisions": ("strategy_name", "symbol"),
    "cash_flows": ("strategy_name", "symbol", "amount"),
    "liquidations": ("strategy_name", "symbol", "price", "quantity", "equity", "maintenance"),
    "margin_changes": ("strategy_name", "symbol", "amount"),
}
_READABLE = "".join(
    f"ALTER TABLE {table} ADD COLUMN {column} TEXT;\n"
    for table, columns in READABLE.items()
    for column in columns
)

# Tables whose rows belong to a venue account, which is their last column.
WITH_ACCOUNT = (
    "orders",
    "fills",
    "refusals",
    "decisions",
    "cash_flows",
    "liquidations",
    "margin_changes",
    "account_events",
    "opening_lots",
)

# Since version 8: in which currency a fee is.
_FEE_CURRENCY = "ALTER TABLE fills ADD COLUMN fee_currency TEXT;\n"

# Since version 9: the other side of a conversion. Its amount is what was given, `rate` is for a unit of that.
# And the share of a lot of an average cost.
_CONVERSIONS = """
ALTER TABLE account_events ADD COLUMN into_currency TEXT;
ALTER TABLE account_events ADD COLUMN received_atto TEXT;
ALTER TABLE account_events ADD COLUMN rate_atto TEXT;
ALTER TABLE account_events ADD COLUMN fee_atto TEXT;
ALTER TABLE account_events ADD COLUMN fee_currency TEXT;
ALTER TABLE opening_lots ADD COLUMN cost_atto TEXT;
"""

_POSITIONS_OF_ACCOUNTS = """
DROP VIEW positions;
CREATE VIEW positions AS
    SELECT strategy, instrument, SUM(lots) AS lots, SUM(fills) AS fills, MAX(time_ns) AS time_ns,
           MAX(account) AS account
    FROM (
        SELECT strategy, instrument, CASE side WHEN 'buy' THEN lots ELSE -lots END AS lots, 1 AS fills,
               time_ns, account
        FROM fills
        UNION ALL
        SELECT strategy, instrument, lots, 0, account_events.time_ns, opening_lots.account
        FROM opening_lots JOIN account_events USING (seq)
    )
    GROUP BY strategy, instrument;
"""

# Since version 10: the venue account that a row belongs to, and what each of several is worth over time.
# The tables of an engine with one account have its name in every row, and nothing in `account_equity`.
_OF_ACCOUNTS = (
    "".join(f"ALTER TABLE {table} ADD COLUMN account TEXT;\n" for table in WITH_ACCOUNT)
    + """
-- `id` is 16 times `seq`, and the number of the account: an engine has 16 at most.
CREATE TABLE account_equity (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    time_ns INTEGER NOT NULL,
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    equity_atto TEXT NOT NULL,
    equity TEXT NOT NULL
) STRICT;
"""
    + _POSITIONS_OF_ACCOUNTS
)

_OF_NO_JOURNAL = """
UPDATE source SET first = '', path = '';
"""

TABLES = (
    _OLDER_TABLES
    + _NEWER_TABLES
    + _ACCOUNT_TABLES
    + _BINDING
    + _VIEWS
    + _READABLE
    + _EQUITY
    + _FEE_CURRENCY
    + _CONVERSIONS
    + _OF_ACCOUNTS
    + _REVISIONS
    + _TICKETS
)

# What brings the tables of a version to the next one. What they did not keep stays empty until the journal is
# projected again: by the next start of its engine where the form of rows has changed, else by a rebuild.
MIGRATIONS = {
    1: """
ALTER TABLE commands ADD COLUMN scope TEXT;
ALTER TABLE commands ADD COLUMN scope_id INTEGER;
ALTER TABLE commands ADD COLUMN limit_name TEXT;
ALTER TABLE commands ADD COLUMN value TEXT;
ALTER TABLE commands ADD COLUMN instrument INTEGER;
ALTER TABLE commands ADD COLUMN person TEXT;
""",
    2: f"""
ALTER TABLE orders ADD COLUMN after_order_id INTEGER;
ALTER TABLE orders ADD COLUMN oco_order_id INTEGER;
{_NEWER_TABLES}""",
    3: _BINDING,
    4: """
ALTER TABLE orders ADD COLUMN sent_ns INTEGER;
""",
    # The rows that are there have none of it: the tables are of no journal, and the next start fills them.
    5: f"{_ACCOUNT_TABLES}\nDROP VIEW IF EXISTS positions;\n{_VIEWS}\n{_READABLE}{_OF_NO_JOURNAL}",
    6: f"{_EQUITY}{_OF_NO_JOURNAL}",
    7: f"{_FEE_CURRENCY}{_OF_NO_JOURNAL}",
    8: _CONVERSIONS,
    9: f"{_OF_ACCOUNTS}{_OF_NO_JOURNAL}",
    10: _REVISIONS,
    11: _TICKETS,
}
# Tables whose rows each have the number of their record as key.
BY_SEQ = (
    "sessions",
    "fills",
    "revisions",
    "requests",
    "refusals",
    "decisions",
    "cash_flows",
    "liquidations",
    "margin_changes",
    "commands",
    "account_events",
    "equity",
)
# In the header of a file: that it is a read model of tradecore ("trdc").
APPLICATION_ID = 0x74726463

NAMES = (
    "sessions",
    "orders",
    "fills",
    "revisions",
    "requests",
    "refusals",
    "decisions",
    "cash_flows",
    "liquidations",
    "margin_changes",
    "commands",
    "account_events",
    "opening_lots",
    "equity",
    "account_equity",
)
