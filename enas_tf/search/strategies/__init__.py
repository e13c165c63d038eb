"""How architectures are proposed during a search."""
