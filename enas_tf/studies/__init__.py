"""Studies of searches: what they are worth."""
