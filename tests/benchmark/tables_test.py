from enas_tf.benchmark.tables import (
    table_of_growth,
    table_of_operations,
    table_of_search,
    table_of_step,
)


def test_a_step():
    results = {"step_seconds": 0.5, "multiply_adds": 1.5e9, "peak_memory_bytes": 2**30}
    lines = table_of_step({**results, "settings": {}}).splitlines()
    assert [line.split()[-2:] for line in lines] == [
        ["0.5000", "s"],
        ["forward", "1.5e+09"],
        ["1.00", "GiB"],
    ]


def test_a_search_ends_with_what_is_neither_training_nor_scoring():
    results = {
        "epochs": 1,
        "steps": 20,
        "updates_per_epoch": 5,
        "samples_per_update": 10,
        "first_epoch_seconds": 30.0,
        "epoch_seconds": 4.0,
        "neither_training_nor_scoring": 0.125,
        "parts": {
            "training_steps": {
                "seconds": 3.5,
                "share": 0.875,
                "pieces": 20,
                "first_piece_seconds": 9.0,
            },
            "rest": {"seconds": 0.5, "share": 0.125},
        },
    }
    lines = table_of_search(results).splitlines()
    assert lines[0].startswith("an epoch: 20 training batches, 5 updates of 10 samples;")
    assert lines[2].split() == ["training", "steps", "3.500", "87.5", "%", "20", "9.000", "s"]
    assert lines[3].split() == ["rest", "0.500", "12.5", "%"]
    assert lines[-1] == "neither a training nor a scoring pass: 12.5 % of an epoch"


def row(**changes):
    measured = {"step_seconds": 2.0, "peak_memory_bytes": 2**30}
    return {"axis": "layers", "value": 24, **measured, **changes}


def test_growth_beyond_that_of_the_work_is_marked():
    growth = {"time_growth": 4.0, "work_growth": 2.0, "memory_growth": 1.5}
    growth["time_growth_by_work_growth"] = 2.0
    _, marked, unmarked, alone, failed = table_of_growth(
        [
            row(**growth, faster_than_work=True),
            row(**growth, faster_than_work=False),
            row(),
            {"axis": "batch", "value": 64, "error": "Out of memory"},
        ]
    ).splitlines()
    assert marked.split()[:9] == [
        *("layers", "24", "2.000", "s", "x4.00", "x2.00", "2.00", "1.00", "GiB")
    ]
    assert marked.endswith("x1.50  grows faster than the work")
    assert unmarked.endswith("x1.50")
    assert alone.split() == ["layers", "24", "2.000", "s", "1.00", "GiB"]
    assert failed.split(maxsplit=2)[2] == "not measured: Out of memory"


def test_many_kinds_of_operations_have_one_line():
    kinds = [{"kind": f"Kind{n}", "seconds": 0.001, "share": 0.04, "calls": 2} for n in range(25)]
    results = {
        "operations": kinds,
        "operation_seconds": 0.025,
        "recorded_step_seconds": 0.03,
        "recorded_core_seconds": 0.04,
        "step_seconds": 0.02,
        "core_seconds": 0.03,
    }
    lines = table_of_operations(results).splitlines()
    assert lines[20].split() == ["Kind19", "1.00", "4.0", "%", "2"]
    assert lines[21].split() == ["5", "other", "kinds", "5.00", "20.0", "%", "10"]
    assert lines[22].split() == ["all", "25.00", "100.0", "%", "50"]
    assert lines[23].split(maxsplit=3)[3] == "30.00 ms, 40.00 ms of all cores"
