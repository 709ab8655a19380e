"""What the commands do; one module a group, imported only when it is called."""
