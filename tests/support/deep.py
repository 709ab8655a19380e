"""JSON nested deeper than any reader follows: msgspec raises `RecursionError`, none of its own."""

DEEP = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
