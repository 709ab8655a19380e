"""Lets one call of a journal's writer fail, and looks whether it stops and keeps what it has acknowledged."""
