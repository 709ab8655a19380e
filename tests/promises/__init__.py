"""What shows that the promises are kept: parts that try them, each a command, and the table of them all."""
