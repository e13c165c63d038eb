"""The release's pickles of CIFAR-10, damaged or hostile."""

import gzip
import io
import os
import pickle
import tarfile

import numpy as np

from tests.cli.bad_input.refusals import SEARCH, Command, cases

BATCHES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


def batch(**changes):
    return {"data": np.zeros((20, 3072), np.uint8), "labels": 20 * [1], **changes}


def write_folders(world, good):
    broken = {
        "lacking": None,
        "pipe": None,
        "cut_off": good[:500],
        "empty": b"",
        "text": b"hello world",
        "command": pickle.dumps(Command()),
        "command_inside": pickle.dumps(batch(data=Command())),
        "old_command": b"cposix\nsystem\n(S'touch executed'\ntR.",
        "evaluated": b'cbuiltins\neval\n(S\'open("executed", "w")\'\ntR.',
        "list": pickle.dumps([1, 2]),
        "labels": pickle.dumps(batch(labels=20 * [10])),
        "shape": pickle.dumps(batch(data=np.zeros((20, 5), np.uint8))),
        "deep": b"\x80\x02})" + 100_000 * b"\x85" + b"Ns.",
        "length": b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
    }
    for name, content in broken.items():
        folder = world / "cifar10" / name
        folder.mkdir(parents=True)
        for batch_name in BATCHES:
            (folder / batch_name).write_bytes(good)
        (folder / "data_batch_3").unlink()
        if content is not None:
            (folder / "data_batch_3").write_bytes(content)

    os.mkfifo(world / "cifar10" / "pipe" / "data_batch_3")


def write_archive(world, folder, content):
    path = world / "cifar10" / folder / "cifar-10-python.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as file:
        for name in BATCHES:
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def write_world(world):
    good = pickle.dumps(batch())
    write_folders(world, good)
    write_archive(world, "archive_command", pickle.dumps(Command()))
    path = write_archive(world, "archive_cut_off", good)
    path.write_bytes(path.read_bytes()[:300])
    write_archive(world, "archive_text", good).write_text("hello")
    # After which the reader would go back, for ever.
    member = tarfile.TarInfo("data_batch_1")
    member.size = -1
    path = write_archive(world, "archive_of_itself", good)
    path.write_bytes(gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))


PICKLES = {
    "lacking": "lacks data_batch_3",
    "cut_off": "data_batch_3 is not a readable pickle (it is cut off)",
    "empty": "data_batch_3 is not a readable pickle (it is cut off)",
    "text": "is not a readable pickle",
    "command": "system', which is refused",
    "command_inside": "system', which is refused",
    "old_command": "posix.system', which is refused",
    "evaluated": "builtins.eval', which is refused",
    "list": "is not a batch of CIFAR-10",
    "labels": "is not a batch of CIFAR-10",
    "shape": "is not a batch of CIFAR-10",
    "deep": "data_batch_3 is not a readable pickle (nested more than 100 deep)",
    "pipe": "data_batch_3 cannot be read (it is a pipe, not a regular file)",
    "archive_of_itself": "has -1 bytes by its header",
    "length": "is not a readable pickle",
    "archive_command": "system', which is refused",
    "archive_cut_off": "ended before the end-of-stream marker",
    "archive_text": "is not a readable archive",
}


@cases(
    ((*SEARCH, "--dataset=cifar10", f"--data_dir=cifar10/{name}"), message)
    for name, message in PICKLES.items()
)
def test_wrong_pickles(argv, message, refused_early):
    refused_early(argv, message)
