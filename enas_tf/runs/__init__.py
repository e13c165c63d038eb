"""The folder that a search or a final training writes into and goes on from."""
