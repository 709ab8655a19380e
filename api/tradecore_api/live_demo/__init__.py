"""The demo on the local venue: venue and engine as processes, faults, kills, and both sides compared."""
