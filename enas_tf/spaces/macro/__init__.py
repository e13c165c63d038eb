"""The macro space: whole convolutional networks (paper, section 2.3)."""
