"""Gradient descent on cross-entropy, shared by the search and by retraining."""
