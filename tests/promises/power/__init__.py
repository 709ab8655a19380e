"""P2: the power fails at any moment, and nothing is lost that was said to be safe.

Real programs of ours run with every file operation of theirs recorded (`recording`). Between any two
operations the power may fail. What a disk may hold then (`disk`) is laid into a directory, and the real
recovery looks at it: `journals` and its siblings write, and judge what is left.
"""
