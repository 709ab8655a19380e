"""A process beside the engine that ends its orders when it dies or hangs."""
