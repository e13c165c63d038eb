"""The worked example, at a smaller size."""

import pytest

from enas_tf.examples import own_data


@pytest.mark.long
def test_it_runs_from_arrays_to_predictions_of_a_served_model(tmp_path, capsys):
    accuracy = own_data.main(
        tmp_path, num_pictures=100, num_layers=1, search_epochs=1, final_epochs=1
    )
    assert 0.0 <= accuracy <= 1.0
    lines = dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines() if ":" in line)
    served, reloaded = (
        lines[f"{what} alone sees"].strip().split(", ") for what in ("TensorFlow", "Keras")
    )
    assert len(served) == 8
    assert served == reloaded
    assert set(served) <= set(own_data.CLASSES)
    assert (tmp_path / "served" / "1" / "saved_model.pb").is_file()


def test_the_search_ends_when_the_score_does_not_rise_any_more():
    ends = own_data.EnoughIsEnough(patience=2)
    scores = (0.3, 0.5, 0.4, 0.6, 0.6, 0.5)
    answers = [ends({"shared_weights_validation_accuracy": score}) for score in scores]
    assert answers == [False] * 5 + [True]
