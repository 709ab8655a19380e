"""The auditor: works out anew what a journal says, and shares no code with what wrote it.

Nothing here imports `tradecore`, its native module, or any other of its packages, so that a fault there
cannot be here too. `python -m tradecore_audit JOURNAL` runs without them; `tradecore audit` calls the same.
"""
