"""The search: training of shared weights, policy updates, their alternation, deriving."""
