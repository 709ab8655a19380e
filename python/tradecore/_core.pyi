"""Types of the native parts; the documentation lives in Rust and reaches `__doc__`."""
