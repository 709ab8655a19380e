"""Types of arrays without numpy, which is imported when there is an array; type checkers read the stub."""

FloatArray = object
