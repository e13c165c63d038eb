"""Training a derived network from scratch."""
