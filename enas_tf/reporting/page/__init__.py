"""The report of runs as one HTML page that needs nothing else; nothing here imports TensorFlow."""
