"""Methods that are interrupted, for tests of resuming."""

import signal


def interrupting(method, after, interrupt=lambda: signal.raise_signal(signal.SIGINT)):
    """Returns a method that is interrupted at the beginning of its call number `after`.

    Args:
      method: that is called, of any object.
      after: number of the call, from 1.
      interrupt: what interrupts it. Default: SIGINT to this process, which a trainer catches.
    """
    calls = []

    def wrapped(self, *args, **keywords):
        calls.append(None)
        if len(calls) == after:
            interrupt()
        return method(self, *args, **keywords)

    return wrapped


def at_once():
    """Interrupts what is running, without an end of its step."""
    raise KeyboardInterrupt
