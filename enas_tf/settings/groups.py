"""The questions that settings answer: headings of `--helpfull`, and of the tables made from it."""

import enum


class Group(enum.Enum):
    """A question; its value is the heading. They are asked in this order, the usual ones first.

    A setting belongs to the group that its field names, else to that of the section in which it
    stands, else to that of the whole, which the command says.
    """

    START = "What it starts from"
    DATA = "Which data"
    STUDY = "What is compared"
    MEASURED = "What is measured"
    SPACE = "What is searched"
    NETWORK = "What the final network is like"
    SEARCH = "How it searches"
    DURATION = "How long it takes"
    COSTS = "What the final network may cost"
    REWARD = "What is rewarded"
    TRAINING = "How weights are trained"
    SCRATCH = "How networks are trained from scratch"
    AUGMENTATION = "How training pictures are varied"
    RANKING = "How the best one is chosen"
    CONTROLLER = "The controller, of --strategy=reinforce"
    EVOLUTION = "Evolution, of --strategy=evolution"
    SURROGATE = "What predicts rewards, of --strategy=surrogate"
    GRADIENT = "Search by gradient, of --strategy=darts"
    TRAINED = "Training each architecture alone, of --evaluation=trained"
    GENERATION = "How the text goes on"
    HARDWARE = "Which devices, machines and memory"
    OUTPUT = "Where results go, and in which form"
    TROUBLE = "What happens in trouble"
