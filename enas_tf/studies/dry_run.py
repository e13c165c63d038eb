"""What a study would do, and about how much work that is; nothing is run."""

from enas_tf.spaces.registry import get_space
from enas_tf.studies.arrangement import Arrangement
from enas_tf.studies.plan import WHOLE, Part, SearchJob

# Of a training step: forwards, and backwards for what comes in and for the weights.
_PASSES = 3


def dry_run(arrangement: Arrangement, part: Part | None = None) -> str:
    """Returns a few sentences about a study that was not started.

    Args:
      arrangement: what it would do.
      part: the jobs that are meant; default: all.
    """
    space, network, plan = arrangement.space, arrangement.network, arrangement.plan
    search, retrain = arrangement.search, arrangement.retrain
    batches = search.shared_weights.batch_size
    streams = arrangement.data.search_streams(batch_size=batches, reward_batch_size=batches, seed=0)
    steps_per_epoch = streams.steps_per_epoch
    methods = list(dict.fromkeys(job.method for job in plan.searches))
    epochs, policy = search.shared_weights.epochs, search.policy
    examples = steps_per_epoch * search.shared_weights.batch_size
    fit = get_space(space.name).fit_network
    costs = [space.costs(one, fit(one, network)).multiply_adds for one in plan.random]
    work = sum(costs) / len(costs) * _PASSES * examples * retrain.training.epochs
    count, found = len(plan.random), len(plan.searches)
    trainings = (count + found) * len(plan.seeds)
    lines = [
        f"{_counted(found, 'searches')}: {', '.join(methods)}, with "
        f"{_counted(found // len(methods), 'seeds')} each. A "
        f"search has {epochs} epochs of {steps_per_epoch} training steps and "
        f"{policy.updates_per_epoch} updates of {policy.samples_per_update} architectures.",
        f"{trainings} trainings from scratch: {count} architectures drawn at random and at most "
        f"{found} that the searches find, {len(plan.seeds)} trainings of "
        f"{retrain.training.epochs} epochs each.",
        f"A training of a random one takes about {work:.2g} multiply-adds, all trainings "
        f"{work * trainings:.2g}. Start the study: after the first jobs it tells the time left.",
    ]
    if retrain.time_budget is not None:
        searching = f"A search takes {search.time_budget}, a" if search.time_budget else "A"
        lines[2:] = [
            f"{searching} training {retrain.time_budget}; of the epochs, it makes as many as fit."
        ]
    if part is not None and part != WHOLE:
        jobs = plan.jobs(part)
        searches = sum(isinstance(job, SearchJob) for job in jobs)
        lines.append(
            f"Part {part.number} of {part.of}: {_counted(searches, 'searches')} with the trainings "
            f"of what they find, and {len(jobs) - searches} other trainings."
        )
    return "\n".join(lines)


def _counted(number: int, things: str) -> str:
    """Returns a number of things, which are `searches` or `seeds`."""
    one = {"searches": "search", "seeds": "seed"}
    return f"{number} {one[things] if number == 1 else things}"
