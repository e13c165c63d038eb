"""Packaging of enas_tf."""

import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "(.+)"$', (HERE / "enas_tf" / "__init__.py").read_text(), re.MULTILINE
).group(1)
README = HERE / "README.md"

COMMANDS = (
    "search",
    "derive",
    "retrain",
    "evaluate",
    "predict",
    "export",
    "generate",
    "draw",
    "report",
    "benchmark",
    "study",
    "pack",
)

setup(
    name="enas-tf",
    version=VERSION,
    description="Efficient Neural Architecture Search via Parameter Sharing, for Keras 3 and "
    "TensorFlow 2",
    long_description=README.read_text() if README.exists() else "",
    long_description_content_type="text/markdown",
    author="The enas_tf authors",
    license="Apache-2.0",
    license_files=["LICENSE"],
    packages=find_packages(include=["enas_tf", "enas_tf.*"]),
    include_package_data=True,
    package_data={
        "enas_tf.reporting.page": ["templates/*"],
        "enas_tf.studies": ["truths/*"],
    },
    python_requires=">=3.10",
    install_requires=[
        "absl-py>=2.1",
        # TensorFlow Datasets imports it without asking for it.
        "importlib_resources>=6.0",
        "jinja2>=3.1",
        # Models of others are loaded: the known ways in which a `.keras` file runs code, reads
        # other files or fills the memory are closed in 3.12.4 (of the last series for Python 3.10)
        # and in 3.15.1, but in nothing between the two.
        "keras>=3.12.4,!=3.13.*,!=3.14.*,!=3.15.0",
        "numpy>=2.1",
        # Pictures of others are read: older ones write beyond their memory on some of them.
        "pillow>=12.3",
        # From this version on, what the pointer shows can have a title.
        "plotly>=6.3",
        "scikit-learn>=1.5.2",
        "scipy>=1.14.1",
        # TensorFlow's summaries need it; TensorFlow itself no longer brings it.
        "tensorboard>=2.21",
        # Older ones write lines of their own about GPUs that are not there, and want a TensorBoard
        # whose command does not start with the newest setuptools.
        "tensorflow>=2.21",
        # Older ones fail with the newest protobuf.
        "tensorflow-datasets>=4.9.10",
        "typing_extensions>=4.12",
    ],
    extras_require={
        "test": ["mypy>=1.11", "pytest>=8.0", "pytest-xdist>=3.6", "ruff>=0.6"],
        # CUDA's libraries, for NVIDIA's GPUs; the driver is that of the system.
        "cuda": ["tensorflow[and-cuda]>=2.21"],
        "onnx": ["onnxruntime>=1.20", "tf2onnx>=1.17"],
        "openvino": ["openvino>=2025.0"],
        # For clients of TensorFlow Serving over gRPC.
        "serving": ["tensorflow-serving-api>=2.21"],
    },
    entry_points={
        "console_scripts": [
            f"enas-{command} = enas_tf.cli.entry_points:{command}" for command in COMMANDS
        ]
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
