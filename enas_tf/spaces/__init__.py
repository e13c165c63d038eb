"""The search spaces; one folder each."""
