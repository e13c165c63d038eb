"""Worked examples, to be read, copied and run."""
