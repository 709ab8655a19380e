"""Watches the system calls of a live engine: what is on the disk when a byte of an order leaves."""
