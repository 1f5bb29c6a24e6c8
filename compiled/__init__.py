"""What is too slow in Python, in C: compiled at set-up where a compiler is, else done by the Python beside it."""
