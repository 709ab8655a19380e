"""The local control socket: length-prefixed msgpack frames between one machine's own processes."""
