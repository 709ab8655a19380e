"""What an order goes through between a strategy's wish and the venue, and back."""

# How the paths of its files begin.
ORDER_PATH = (
    "adapters/local/tradecore_local",
    "python/tradecore/runtime/commit.py",
    "python/tradecore/runtime/live",
    "rust/journal/src/group.rs",
    "rust/journal/src/writer.rs",
    "rust/kernel/src/books",
    "rust/kernel/src/outgoing",
    "rust/ledger/src/orders.rs",
    "rust/ledger/src/state.rs",
    "rust/risk/src",
)
