"""The phases of a run, as its logs and TensorBoard's folders call them, and its commands."""

# Of a search: both alternate; the last one is what an epoch, and the whole search, end with.
SHARED_WEIGHTS = "shared_weights"
CONTROLLER = "controller"
DERIVE = "derive"
# Of a search by gradient: its steps on the weights of the architecture.
ARCHITECTURE = "architecture"
# Those that alternate, in their order; a checkpoint holds the place of the running one.
ALTERNATING = (SHARED_WEIGHTS, CONTROLLER)
# Of a final training, which is also how `config.json` calls its command.
RETRAIN = "retrain"
# Of both: what a time budget decided.
PLAN = "plan"
# The command of a search in `config.json`.
SEARCH = "search"
# The command of a study there.
STUDY = "study"
