"""Where pictures and texts come from, and how they become batches."""
