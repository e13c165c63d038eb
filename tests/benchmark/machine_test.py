import time

from enas_tf.benchmark.machine import peak_memory, process_start


def test_this_process_began_in_the_past():
    assert 0 < time.time() - process_start() < 24 * 3600


def test_the_peak_counts_bytes():
    # An interpreter takes some megabytes, and no machine of today terabytes.
    assert 2**22 < peak_memory() < 2**42
