import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.searching.limits import Limits
from enas_tf.spaces.costs import Costs
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.studies.plan import Part, SearchJob, StudyConfig, make_plan

SPACE = MacroSpace(num_layers=3, num_operations=3)
CONFIG = StudyConfig(methods="reinforce, random", seeds=2, num_random=4, retrain_seeds=3)


def test_every_method_searches_with_every_seed_of_the_study():
    searches = make_plan(SPACE, CONFIG, 5).searches
    assert set(searches) == {
        SearchJob(method, seed) for method in ("reinforce", "random") for seed in (5, 6)
    }


def test_random_architectures_differ_and_depend_on_the_seed():
    first, again, other = (make_plan(SPACE, CONFIG, seed).random for seed in (0, 0, 1))
    assert len(set(first)) == 4
    assert first == again
    assert first != other


def test_every_random_architecture_is_trained_with_every_seed():
    plan = make_plan(SPACE, CONFIG, 0)
    assert {(job.architecture, job.seed) for job in plan.trainings} == {
        (architecture, seed) for architecture in plan.random for seed in (0, 1, 2)
    }


def test_parts_together_are_the_whole():
    plan = make_plan(SPACE, CONFIG, 0)
    parts = [job for number in (1, 2, 3) for job in plan.jobs(Part(number, 3))]
    assert sorted(map(str, parts)) == sorted(map(str, plan.jobs()))
    assert len({job.name for job in plan.jobs()}) == len(plan.jobs())


def test_no_part_has_the_same_method_every_time():
    jobs = make_plan(SPACE, CONFIG, 0).jobs(Part(1, 2))
    assert {job.method for job in jobs if isinstance(job, SearchJob)} == {"reinforce", "random"}


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "a/b", "1/0", "-1/2", "1/2/3"])
def test_what_is_no_part_is_refused(text):
    with pytest.raises(ConfigurationError, match="K/N"):
        Part.parse(text)


@pytest.mark.parametrize("methods", ["", "annealing", "random,random", "random,"])
def test_unknown_and_repeated_methods_are_refused(methods):
    with pytest.raises(ConfigurationError, match="`methods` must be some of reinforce, random"):
        StudyConfig(methods=methods)


def test_more_random_architectures_than_there_are_is_refused():
    space = MacroSpace(num_layers=1, num_operations=2)
    with pytest.raises(ConfigurationError, match="num_random"):
        make_plan(space, StudyConfig(num_random=3), 0)


def test_random_architectures_are_within_limits():
    space = MacroSpace(num_layers=2, num_operations=3)
    limits = Limits({"parameters": 0}, lambda one: Costs(one.num_skip_connections, 0, 0))
    random = make_plan(space, StudyConfig(num_random=9), 0, limits).random
    assert [one.num_skip_connections for one in random] == [0] * 9
    with pytest.raises(ConfigurationError, match="of the space within the limits, about 9"):
        make_plan(space, StudyConfig(num_random=10), 0, limits)


def test_limits_that_allow_all_change_no_random_architecture():
    limits = Limits({"parameters": 0}, lambda one: Costs(0, 0, 0))
    assert make_plan(SPACE, CONFIG, 3, limits) == make_plan(SPACE, CONFIG, 3)


def test_all_searches_of_a_study_have_the_same_time_and_all_trainings():
    # 4 searches, and 3 trainings each of 4 random and at most 4 found architectures.
    plan = make_plan(SPACE, CONFIG, 0)
    assert plan.times("2h") == ("720s", "150s")
    assert plan.times("2h", is_searched=False).training == "300s"


def test_a_time_without_a_second_for_each_job_is_refused():
    with pytest.raises(ConfigurationError, match="4 searches and 24 trainings"):
        make_plan(SPACE, CONFIG, 0).times("30s")
