"""How fast searches run on this machine."""

from enas_tf.benchmark.steps import benchmark

__all__ = ["benchmark"]
