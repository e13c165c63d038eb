"""The errors that users can cause and mend; every one of them says what to do."""


class EnasError(Exception):
    """Base of all errors that bad input or a bad configuration can cause.

    A command prints the message as one line on stderr and ends with exit code 2. Anything that is
    not an `EnasError` is a defect of this package.
    """


class ConfigurationError(EnasError):
    """A setting has a wrong type, lies out of range or contradicts another one."""


class ArchitectureError(EnasError):
    """An architecture is malformed or does not belong to the search space."""


class DataError(EnasError):
    """A dataset is missing, malformed or unusable for the search space."""


class RunDirectoryError(EnasError):
    """A run directory is missing, unreadable, or belongs to another configuration."""


class RunInUseError(RunDirectoryError):
    """Another process writes into the run directory."""


class ExportError(EnasError):
    """A model cannot be loaded or written in the format that was asked for."""


class NumericalError(EnasError):
    """A loss, a gradient or a reward is not finite."""


class WorkerLostError(EnasError):
    """Another process of a training on several machines is not there, or not any more."""
