"""The settings of what trains: devices, other machines, their memory, how exactly they calculate.

They decide nothing of what is computed but its last digits, and are no part of a run: it goes on
with others.
"""

import dataclasses

from enas_tf.settings.groups import Group
from enas_tf.settings.setting import Settings, setting

AUTOMATIC, YES, NO = CHOICES = ("auto", "yes", "no")


@dataclasses.dataclass(frozen=True)
class HardwareConfig(Settings):
    """What trains, and how; the settings hold for a process."""

    devices: str = setting(
        AUTOMATIC,
        "What trains: auto (all GPUs if there are several), all, a number of GPUs, or cpu:N for N "
        "logical devices on the CPU. batch_size counts the examples of all devices. With the "
        "environment variable TF_CONFIG: of each machine.",
        group=Group.HARDWARE,
    )
    worker_timeout: float = setting(
        1800.0,
        "Seconds to wait for the other machines that TF_CONFIG names.",
        above=0.0,
        group=Group.HARDWARE,
    )
    deterministic: bool = setting(
        False,
        "Make TensorFlow choose operations that give the same bits every time, on GPUs too, which "
        "may be slower.",
        group=Group.HARDWARE,
    )
    memory_growth: bool = setting(
        True,
        "Take the memory of GPUs as it is needed, so that others can use the rest; without it "
        "nearly all is taken at the start.",
        group=Group.HARDWARE,
    )
    tf32: bool = setting(
        True,
        "Let GPUs that can multiply float32 with TensorFloat-32, which is faster and has 10 bits "
        "after the point in place of 23.",
        group=Group.HARDWARE,
    )
    data_on_device: str = setting(
        AUTOMATIC,
        "Keep the pictures of the training part in the memory of each device, and change them "
        "there, in place of sending batches; auto: on GPUs, if they take at most an eighth of it.",
        choices=CHOICES,
        group=Group.HARDWARE,
    )
    compiled_update: str = setting(
        AUTOMATIC,
        "Compile the update of all weights into one piece, for a single device; auto: on a GPU.",
        choices=CHOICES,
        group=Group.HARDWARE,
    )
