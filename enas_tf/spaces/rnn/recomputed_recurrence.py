"""A time loop whose gradient reaches everything that its step depends on.

`enas_tf.spaces.rnn.recurrence` knows the derivative of its cell by heart and has none for the
wiring. This loop takes any step: it keeps the states only, and computes each step once more on the
way back in order to differentiate it, so that a mixture of hundreds of matrix products needs no
more memory than one of them. XLA does not compile it: a mixture of four nodes and 64 units would
take 0.09 s in place of 0.2 s, but 10 s of compiling for each length and each pass.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

# Takes the projected input, the state and the parameters; returns the next state.
Step = Callable[[tf.Tensor, tf.Tensor, Sequence[tf.Tensor]], tf.Tensor]


def recomputed_recurrence(
    step: Step, projected: tf.Tensor, state: tf.Tensor, parameters: Sequence[tf.Tensor]
) -> tf.Tensor:
    """Runs a step over time.

    Args:
      step: depends on nothing but its arguments and constants.
      projected: `[time, batch, …]`, one input for each time.
      state: `[batch, hidden]`, before the first step.
      parameters: tensors; gradients flow into all of them, added up in float32.

    Returns:
      The states after each step, `[time, batch, hidden]`.
    """
    num_steps = tf.shape(projected)[0]

    def forward(projected: tf.Tensor, state: tf.Tensor, *own: tf.Tensor) -> tf.Tensor:
        states = tf.TensorArray(state.dtype, num_steps, element_shape=state.shape)

        def body(time: tf.Tensor, state: tf.Tensor, states: Any) -> tuple[Any, ...]:
            state = step(tf.gather(projected, time), state, own)
            return time + 1, state, states.write(time, state)

        return tf.while_loop(
            lambda time, *_: time < num_steps,
            body,
            (0, state, states),
        )[2].stack()

    def backward(
        upstream: tf.Tensor, before: tf.Tensor, projected: tf.Tensor, *own: tf.Tensor
    ) -> list[tf.Tensor]:
        inputs = tf.TensorArray(projected.dtype, num_steps, element_shape=projected.shape[1:])

        def body(number: tf.Tensor, of_state: tf.Tensor, inputs: Any, *sums: Any) -> Any:
            time = num_steps - 1 - number
            sources = [tf.gather(projected, time), tf.gather(before, time), *own]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(sources)
                after = step(sources[0], sources[1], sources[2:])
            of_input, of_state, *of_own = tape.gradient(
                after,
                sources,
                of_state + tf.gather(upstream, time),
                unconnected_gradients=tf.UnconnectedGradients.ZERO,
            )
            added = [total + tf.cast(one, tf.float32) for total, one in zip(sums, of_own)]
            return number + 1, of_state, inputs.write(time, of_input), *added

        zeros = [tf.zeros_like(one, dtype=tf.float32) for one in own]
        _, of_state, inputs, *sums = tf.while_loop(
            lambda number, *_: number < num_steps,
            body,
            (0, tf.zeros_like(before[0]), inputs, *zeros),
        )
        of_own = [tf.cast(total, one.dtype) for total, one in zip(sums, own)]
        return [inputs.stack(), of_state, *of_own]

    @tf.custom_gradient
    def run(projected: tf.Tensor, state: tf.Tensor, *own: tf.Tensor) -> Any:
        states = forward(projected, state, *own)

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
            before = tf.concat([state[None], states[:-1]], axis=0)
            return backward(upstream, before, projected, *own)

        return states, gradient

    return run(projected, state, *parameters)
