import io
import sys

import pytest

from enas_tf.environment.progress import Progress, duration, progress_shown


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


def make_progress(stream=None, **arguments):
    clock = Clock()
    stream = io.StringIO() if stream is None else stream
    total = arguments.pop("total", {"shared_weights": 100})
    return Progress(total, stream=stream, clock=clock, **arguments), stream, clock


def step(progress, clock, seconds, phase="shared_weights", **arguments):
    clock.now += seconds
    progress.update(phase, **arguments)


def test_a_line_tells_phase_epoch_step_and_metrics():
    progress, stream, clock = make_progress()
    step(progress, clock, 1.0, epoch=2, epochs=10, loss=1.25)
    assert stream.getvalue() == "shared weights  epoch 2/10  step 1/100  loss 1.25\n"


def test_the_first_step_does_not_count_into_the_time_left():
    progress, _, clock = make_progress()
    step(progress, clock, 60.0)
    for _ in range(4):
        step(progress, clock, 0.5)
    assert progress.seconds_left() == (95 * 0.5, True)


def test_the_time_left_covers_all_phases():
    progress, _, clock = make_progress(total={"shared_weights": 10, "controller": 5})
    step(progress, clock, 9.0)
    step(progress, clock, 1.0)
    assert progress.seconds_left() == (8.0, False)
    step(progress, clock, 9.0, "controller")
    step(progress, clock, 2.0, "controller")
    assert progress.seconds_left() == (8.0 + 3 * 2.0, True)


def test_an_incomplete_estimate_says_at_least():
    progress, stream, clock = make_progress(total={"shared_weights": 3, "controller": 5})
    step(progress, clock, 1.0)
    step(progress, clock, 20.0)
    assert stream.getvalue().splitlines()[-1].endswith("at least 20 s left")


def test_steps_done_before_count_as_done():
    progress, _, clock = make_progress(done_steps={"shared_weights": 90})
    step(progress, clock, 1.0)
    step(progress, clock, 2.0)
    assert progress.seconds_left() == (8 * 2.0, True)


def test_time_that_is_left_out():
    progress, _, clock = make_progress()
    step(progress, clock, 1.0)
    clock.now += 100.0
    progress.skip_time()
    step(progress, clock, 1.0)
    assert progress.seconds_left() == (98.0, True)


def test_a_log_gets_a_line_only_now_and_then():
    progress, stream, clock = make_progress(interval=10.0)
    for _ in range(100):
        step(progress, clock, 0.5)
    assert len(stream.getvalue().splitlines()) == 5


def test_a_terminal_has_one_line_that_is_rewritten():
    progress, stream, clock = make_progress(Terminal())
    for _ in range(3):
        step(progress, clock, 1.0)
    progress.close()
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.count("\r") == 3


def test_messages_stay_above_the_line():
    progress, stream, clock = make_progress(Terminal())
    step(progress, clock, 1.0)
    progress.message("epoch 1 done")
    assert stream.getvalue().endswith("\r\x1b[Kepoch 1 done\n")


def test_progress_that_nobody_can_see_changes_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    progress = Progress({"shared_weights": 2})
    progress.update("shared_weights")
    progress.message("epoch 1 done")
    progress.close()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59, "59 s"), (61, "1 min 01 s"), (7500, "2 h 05 min"), (90000, "1 d 01 h")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_nothing_inside_shows_what_is_not_wanted_outside():
    with progress_shown(False), progress_shown(True):
        quiet, stream, clock = make_progress()
        step(quiet, clock, 1.0)
        quiet.message("a line")
    assert stream.getvalue() == ""
    loud, stream, clock = make_progress()
    step(loud, clock, 1.0)
    assert stream.getvalue().startswith("shared weights")
