"""Methods that are interrupted, for tests of resuming."""

import signal


def interrupting(method, after):
    """Returns a method that sends SIGINT to this process in its call number `after`."""
    calls = []

    def wrapped(self, *args):
        calls.append(None)
        if len(calls) == after:
            signal.raise_signal(signal.SIGINT)
        return method(self, *args)

    return wrapped
