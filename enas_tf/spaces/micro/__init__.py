"""The micro space: normal and reduction cells (paper, section 2.4)."""
