"""Which devices a training runs on."""

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

# Nothing public leads out of the scope of a strategy.
from tensorflow.python.eager.context import eager_mode

from enas_tf.data.sharing import ALONE, Share
from enas_tf.environment.keras_settings import own_settings
from enas_tf.errors import ConfigurationError
from enas_tf.training.machines.cluster import VARIABLE, Cluster, wait_for_all

AUTOMATIC = "auto"
# Seconds that a process waits for the others; a machine may first have to be found and started.
WORKER_TIMEOUT = 1800


def default_strategy() -> tf.distribute.Strategy:
    """Returns the strategy when none is asked for.

    It is the strategy in whose scope the caller is, if any; otherwise a `MirroredStrategy` over all
    GPUs if there are several, and no distribution (the GPU, if there is one) if not.
    """
    if tf.distribute.has_strategy():
        return tf.distribute.get_strategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


@contextlib.contextmanager
def training_strategy(distribution: Any | None = None) -> Iterator[Any]:
    """Gives the strategy of a training, whatever the settings and the scope of the caller.

    In the scope of a strategy everything would become its variables: the counters and logs of a
    training too, and the weights of another strategy could not be made. The block is outside of it.

    Args:
      distribution: the strategy; default: see `default_strategy`.

    Raises:
      ConfigurationError: Keras does not run on TensorFlow.
    """
    strategy = distribution or default_strategy()
    with contextlib.ExitStack() as stack:
        stack.enter_context(own_settings())
        if tf.distribute.has_strategy():
            # A scope belongs to the graph that is the default one, also where nothing is a graph.
            stack.enter_context(tf.Graph().as_default())
            stack.enter_context(eager_mode())
        yield strategy


def strategy_of_devices(
    devices: str, worker_timeout: float = WORKER_TIMEOUT, *, alone: bool = False
) -> Any:
    """Returns the strategy for devices that a person named, and for the machines of `TF_CONFIG`.

    Args:
      devices: `auto` (see `default_strategy`), `all` GPUs, a number of GPUs, or `cpu:N` for `N`
        logical devices on the CPU, which must come before TensorFlow made its devices. On several
        machines: of each machine.
      worker_timeout: how long to wait for the other machines, in seconds.
      alone: whether this machine works without the others, whatever `TF_CONFIG` says.

    Raises:
      ConfigurationError: there are no such devices, or `TF_CONFIG` cannot be used.
      WorkerLostError: another machine did not come.
    """
    kind, number = _parsed(devices)
    cluster = None if alone else Cluster.from_environment()
    if cluster is not None:
        _limit_devices(devices, kind, number)
        wait_for_all(cluster, worker_timeout)
        # TensorFlow's own reading of the variable ends the process if a list in it is empty.
        resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec({"worker": list(cluster.addresses)}),
            task_type="worker",
            task_id=cluster.index,
            rpc_layer="grpc",
        )
        return tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
    if kind == AUTOMATIC:
        return default_strategy()
    if kind == "cpu":
        return mirrored_cpus(_logical_cpus(number))
    available = [device.name for device in tf.config.list_logical_devices("GPU")]
    _check_gpus(devices, number, len(available))
    return tf.distribute.MirroredStrategy(available[:number])


def devices_of(strategy: tf.distribute.Strategy) -> list[str]:
    """Returns the names of the devices of this machine that train, in the order of its replicas."""
    try:
        return list(strategy.extended.worker_devices)
    except RuntimeError:
        # That of those who ask for none does not name its device.
        return ["GPU:0" if tf.config.list_logical_devices("GPU") else "CPU:0"]


def _parsed(devices: str) -> tuple[str, int | None]:
    """Returns what is asked for: the kind of devices, and their number if there is one."""
    match = re.fullmatch(r"(auto)|(all)|(cpu:)?([1-9]\d*)", devices)
    if match is None:
        raise ConfigurationError(
            "`devices` must be auto, all, a number of GPUs, or cpu:N. "
            f"Received: devices={devices!r}."
        )
    kind = AUTOMATIC if match[1] else "cpu" if match[3] else "gpu"
    return kind, int(match[4]) if match[4] else None


def _check_gpus(devices: str, wanted: int | None, available: int) -> None:
    if not available or (wanted or 0) > available:
        raise ConfigurationError(
            f"`devices` asks for {wanted or 'all'} GPUs, TensorFlow sees {available}. "
            f"Received: devices={devices!r}; cpu:2 runs on two logical devices."
        )


def _limit_devices(devices: str, kind: str, number: int | None) -> None:
    """Hides what the strategy of several machines shall not use; it takes all GPUs it sees."""
    if kind == AUTOMATIC:
        return
    if kind == "cpu" and number != 1:
        raise ConfigurationError(
            f"With {VARIABLE} a machine has one device on its CPU; expected cpu:1. "
            f"Received: devices={devices!r}."
        )
    gpus = [] if kind == "cpu" else tf.config.list_physical_devices("GPU")
    if kind != "cpu":
        _check_gpus(devices, number, len(gpus))
    tf.config.set_visible_devices(gpus[:number], "GPU")


def distributed(
    strategy: tf.distribute.Strategy, stream: Callable[[Share], tf.data.Dataset]
) -> Any:
    """Returns a stream of batches with one batch for every replica at a time.

    Args:
      strategy: whose replicas take the batches.
      stream: makes the dataset of one input pipeline; there is one on each machine.
    """
    if strategy.num_replicas_in_sync == 1:
        return stream(ALONE)
    return strategy.distribute_datasets_from_function(
        lambda context: stream(Share.of_pipeline(context))
    )


def mirrored_cpus(devices: Sequence[str]) -> tf.distribute.MirroredStrategy:
    """Returns a strategy over logical devices of one CPU.

    Sums are made on one device instead of by collective operations, whose numbering is global and
    clashes when one process makes several strategies.

    Args:
      devices: names of the devices.
    """
    return tf.distribute.MirroredStrategy(
        devices, cross_device_ops=tf.distribute.ReductionToOneDevice()
    )


def _logical_cpus(number: int) -> list[str]:
    physical = tf.config.list_physical_devices("CPU")[0]
    # TensorFlow may have its devices already; there may be enough.
    with contextlib.suppress(RuntimeError):
        tf.config.set_logical_device_configuration(
            physical, [tf.config.LogicalDeviceConfiguration()] * number
        )
    names = [device.name for device in tf.config.list_logical_devices("CPU")]
    if len(names) < number:
        raise ConfigurationError(
            f"`devices` asks for {number} logical CPU devices, TensorFlow was started with "
            f"{len(names)}. Received: devices='cpu:{number}'."
        )
    return names[:number]
