import pytest
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from enas_tf.benchmark.trace import KindOfOperation, least_of, operations_of

MILLISECOND = 10**9


def profile(*threads, plane="/host:CPU"):
    """Returns a profile; of each thread events: name, type, begin and end in ms, and if of XLA."""
    space = xplane_pb2.XSpace()
    made = space.planes.add(name=plane)
    made.stat_metadata[1].name = "hlo_op"
    for thread in threads:
        line = made.lines.add()
        for name, kind, begin, end, *of_xla in thread:
            number = len(made.event_metadata) + 1
            made.event_metadata[number].name = name
            made.event_metadata[number].display_name = kind
            event = line.events.add(metadata_id=number, offset_ps=begin * MILLISECOND)
            event.duration_ps = (end - begin) * MILLISECOND
            if of_xla:
                event.stats.add(metadata_id=1)
    return space


def found(space):
    return [(one.kind, pytest.approx(one.seconds), one.calls) for one in operations_of(space)]


def test_kinds_are_added_up_over_threads_the_longest_first():
    one = [("a:Mul", "Mul", 0, 1), ("b:Conv2D", "Conv2D", 2, 7)]
    two = [("c:Mul", "Mul", 0, 2)]
    assert found(profile(one, two)) == [("Conv2D", 0.005, 1), ("Mul", 0.003, 2)]


def test_an_operation_has_no_time_of_those_inside_of_it():
    events = [
        ("while:While", "While", 0, 10),
        ("a:MatMul", "MatMul", 1, 4),
        ("b:Mul", "Mul", 2, 3),
        ("c:MatMul", "MatMul", 5, 9),
    ]
    expected = [("MatMul", 0.006, 2), ("While", 0.003, 1), ("Mul", 0.001, 1)]
    assert found(profile(events)) == expected


def test_what_is_no_operation_belongs_to_what_it_is_in():
    events = [
        ("ExecutorState::Process", "", 0, 10),
        ("a:MatMul", "MatMul", 1, 9),
        ("gemm", "", 2, 8),
        ("b:Mul", "Mul", 3, 4),
    ]
    assert found(profile(events)) == [("MatMul", 0.007, 1), ("Mul", 0.001, 1)]


def test_waiting_is_no_work():
    events = [("run:XlaRun", "XlaRun", 0, 10), ("BlockUntilReady", "", 2, 9)]
    assert found(profile(events)) == [("XlaRun", 0.003, 1)]


def test_operations_of_one_dnn_and_of_xla_have_their_usual_names():
    events = [
        ("a:_MklNativeConv2D", "_MklNativeConv2D", 0, 4),
        ("b:_MklMatMul", "_MklMatMul", 4, 7),
        ("MatMul_4.9", "", 7, 8, True),
        ("MatMul.11", "", 8, 9, True),
    ]
    assert found(profile(events)) == [
        ("Conv2D", 0.004, 1),
        ("MatMul", 0.003, 1),
        ("XLA MatMul", 0.002, 2),
    ]


def test_other_planes_are_left_out():
    assert found(profile([("a:Mul", "Mul", 0, 1)], plane="/host:metadata")) == []


def test_of_several_recordings_each_kind_has_its_least_time():
    one = [KindOfOperation("MatMul", 0.009, 2), KindOfOperation("Mul", 0.001, 5)]
    other = [KindOfOperation("Mul", 0.007, 5), KindOfOperation("MatMul", 0.003, 2)]
    assert least_of([one, other]) == [other[1], one[1]]
