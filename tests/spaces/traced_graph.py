"""What a traced function consists of, the bodies of its loops included."""

import itertools


def transposed_types(traced):
    """Returns the types of tensors that a traced function of one signature transposes."""
    definition = traced.get_concrete_function().graph.as_graph_def()
    bodies = (body.node_def for body in definition.library.function)
    nodes = itertools.chain(definition.node, *bodies)
    return {node.attr["T"].type for node in nodes if node.op == "Transpose"}
