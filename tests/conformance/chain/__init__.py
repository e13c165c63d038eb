"""A made-up search space: a chain of layers, each with one of three operations.

It stands for the space that somebody adds: this folder and one call of `register` are all that the
rest of the package may need.
"""
