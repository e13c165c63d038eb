"""What decides which operations run is worked out on the host, so that no GPU is waited for.

On a GPU, TensorFlow keeps integers of 32 bits in the memory of the host and works on them there,
but for some operations. The graphs of training steps are looked through for these.
"""

import pytest
import tensorflow as tf

from enas_tf.layers import cpu_gradients, functional
from enas_tf.searching.shared_weights import SharedWeights
from tests.conformance.spaces import CASES, SEARCH

# Of integers: what has a kernel of the host's memory for GPUs.
ON_HOST = {
    *("AddV2", "Const", "ConcatV2", "Equal", "ExpandDims", "FloorDiv", "Identity", "Less", "Min"),
    *("Minimum", "Mul", "Pack", "Placeholder", "Range", "Reshape", "Shape", "SquaredDifference"),
    *("StridedSlice", "Sub", "Unpack"),
}
LOOPING = ("While", "StatelessWhile")
CHOOSING = ("Case", "StatelessCase", "If", "StatelessIf")
PICTURE_CASES = [case for case in CASES if case.entry.name in ("macro", "micro")]


class Scope:
    """A graph, or a function where it is called.

    Args:
      nodes: of it.
      library: the functions that it may call, by name.
      arguments: of a function: for each argument, what it is outside and where that is.
      on_device: of a function that stays one: the arguments that are given to a GPU.
    """

    def __init__(self, nodes, library, arguments, on_device=()):
        self.nodes = {node.name: node for node in nodes}
        self.library = library
        self.arguments = arguments
        self.on_device = on_device
        self._called = {}

    def called(self, node):
        """Returns the functions that a node calls, by name: scopes, and what they return."""
        if node.name not in self._called:
            names = []
            for attribute in node.attr.values():
                names += [attribute.func.name] if attribute.func.name else []
                names += [function.name for function in attribute.list.func]
            inputs = [one for one in node.input if not one.startswith("^")]
            inputs = inputs[1:] if node.op in CHOOSING else inputs
            self._called[node.name] = {n: self._scope(self.library[n], inputs) for n in names}
        return self._called[node.name]

    def _scope(self, function, inputs):
        names = [argument.name for argument in function.signature.input_arg]
        given = {name: (one, self) for name, one in zip(names, inputs)}
        returned = [function.ret[one.name] for one in function.signature.output_arg]
        truths = [
            one.name for one in function.signature.input_arg if one.type == tf.bool.as_datatype_enum
        ]
        stays = function.attr["_noinline"].b
        return Scope(function.node_def, self.library, given, truths if stays else ()), returned


def deciding_on_device(graph_def):
    """Returns the types of operations that decide what runs, and whose results are on a GPU."""
    library = {function.signature.name: function for function in graph_def.library.function}
    found, seen, choices = set(), set(), []

    def follow(name, scope):
        base = name.split(":")[0]
        # Within functions `node:output:number`, where the outputs of a call are one.
        number = name.rpartition(":")[2] if ":" in name else "0"
        if base in scope.on_device:
            found.add("argument")
            return
        if base in scope.arguments:
            follow(*scope.arguments[base])
            return
        if (id(scope), base, number) in seen:
            return
        seen.add((id(scope), base, number))
        node = scope.nodes[base]
        called = scope.called(node)
        if called:
            for inner, returned in called.values():
                # The condition of a loop returns one thing only.
                if int(number) < len(returned):
                    follow(returned[int(number)], inner)
        elif node.op in ON_HOST or "CPU" in node.device:
            for one in node.input:
                if not one.startswith("^"):
                    follow(one, scope)
        else:
            found.add(node.op)

    def visit(scope):
        for node in scope.nodes.values():
            if node.op in CHOOSING:
                choices.append(node.name)
                follow(node.input[0], scope)
            called = scope.called(node)
            if node.op in LOOPING:
                inner, (condition,) = called[node.attr["cond"].func.name]
                follow(condition, inner)
            for inner, _ in called.values():
                visit(inner)

    visit(Scope(graph_def.node, library, {}))
    assert choices
    return found


@pytest.fixture(scope="module")
def module_patch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module", params=PICTURE_CASES, ids=str)
def made(request, module_patch):
    case = request.param
    for module in (cpu_gradients, functional):
        # What is traced then is what a GPU is given.
        module_patch.setattr(module, "runs_on_gpu", lambda: True)
    streams = case.data().search_streams(batch_size=8, reward_batch_size=8, seed=0)
    return case.space(), streams, SharedWeights(case.space(), SEARCH, streams.steps_per_epoch)


def _decisions(space, count):
    encoded = space.encode([space.random_architecture(seed) for seed in range(count)])
    return type(encoded)(*(tf.TensorSpec(array.shape, tf.int32) for array in encoded))


def test_a_training_step_decides_on_the_host(made):
    space, streams, weights = made
    concrete = weights._training_step.get_concrete_function(
        streams.training(0).element_spec,
        _decisions(space, 1),
        tf.TensorSpec([], tf.int64),
        tf.TensorSpec([], tf.int32),
    )
    assert deciding_on_device(concrete.graph.as_graph_def()) == set()


def test_what_a_gpu_decides_would_be_found():
    @tf.function
    def chosen(values):
        return tf.cond(tf.reduce_any(values == 1), lambda: 1, lambda: 2)

    graph = chosen.get_concrete_function(tf.TensorSpec([3], tf.int32)).graph.as_graph_def()
    assert deciding_on_device(graph) == {"Any"}
