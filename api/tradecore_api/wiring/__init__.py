"""Builds feeds, engines and sessions from a configuration; the only package that imports adapters."""
