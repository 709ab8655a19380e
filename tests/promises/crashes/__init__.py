"""Kills a running engine at one point after the other, by forks, and looks at what becomes of it."""
