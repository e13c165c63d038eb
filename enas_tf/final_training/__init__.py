"""Final training."""
