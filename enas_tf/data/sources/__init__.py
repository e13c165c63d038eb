"""One module for each kind of place that pictures come from."""
