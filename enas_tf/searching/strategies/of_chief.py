"""A strategy that lives on the chief of several machines."""

from collections.abc import Callable, Sequence
from typing import Any

from enas_tf.searching.strategies.base import Strategy
from enas_tf.spaces.batch import ArchitectureBatch
from enas_tf.training.machines.agreement import Machines
from enas_tf.training.pace import PROPOSE, measured


class ChiefsStrategy:
    """Tells all machines what the chief's strategy proposes; only that one learns.

    Machines of different kinds round differently. If each had a controller of its own, these would
    drift apart, and sooner or later propose different architectures.

    Args:
      strategy: of this machine; only the chief's is used.
      machines: the machines.
    """

    def __init__(self, strategy: Strategy, machines: Machines) -> None:
        self._strategy = strategy
        self._machines = machines

    @property
    def learns(self) -> bool:
        """Whether rewards change what is proposed."""
        return self._strategy.learns

    def propose(self, count: int) -> ArchitectureBatch:
        """Returns proposals of the chief; see `Strategy.propose`."""
        return self.of_chief(count, self._strategy.propose)

    def next_proposal(self, count: int) -> ArchitectureBatch:
        """Returns what the chief will propose; see `Strategy.next_proposal`."""
        return self.of_chief(count, self._strategy.next_proposal)

    def candidates(self, count: int) -> ArchitectureBatch:
        """Returns candidates of the chief; see `Strategy.candidates`."""
        return self.of_chief(count, self._strategy.candidates)

    @measured(PROPOSE)
    def most_likely(self) -> Any | None:
        """Returns the chief's favourite; see `Strategy.most_likely`."""
        favourite = self._strategy.most_likely()
        if not self._machines.decide(lambda: favourite is not None):
            return None
        space = self._strategy.space
        return self.of_chief(1, lambda count: ArchitectureBatch(space, [favourite]))[0]

    def observe(self, architectures: Sequence[Any], rewards: Sequence[float]) -> dict[str, float]:
        """Lets the chief's strategy learn; see `Strategy.observe`."""
        return self._machines.decide(
            lambda: {
                name: float(value)
                for name, value in self._strategy.observe(architectures, rewards).items()
            }
        )

    def skip_proposal(self) -> None:
        """Passes over the random numbers of the next proposal."""
        self._strategy.skip_proposal()

    @measured(PROPOSE)
    def of_chief(self, count: int, draw: Callable[[int], ArchitectureBatch]) -> ArchitectureBatch:
        """Returns what is drawn on the chief.

        Args:
          count: how many.
          draw: returns so many architectures.
        """
        space = self._strategy.space
        if not self._machines.are_several:
            return draw(count)
        placeholder = ArchitectureBatch(space, [space.random_architecture(0)] * count)
        decisions = (draw(count) if self._machines.is_chief else placeholder).decisions
        return ArchitectureBatch.from_decisions(
            space, type(decisions)(*self._machines.of_chief(decisions))
        )
