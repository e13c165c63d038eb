"""The settings of data: which pictures or which text, and how they are read and divided."""

import dataclasses

from enas_tf.errors import ConfigurationError
from enas_tf.settings.groups import Group
from enas_tf.settings.setting import Settings, setting

# How pictures are brought to another shape.
RESIZE = ("crop", "pad", "stretch")
# With less, pictures are mixed no more than with this.
_LEAST_MIXING = 0.001
TOKENIZATIONS = ("auto", "blanks", "words")


@dataclasses.dataclass(frozen=True)
class DataConfig(Settings):
    """Which data, how they are split, and how training pictures are changed."""

    dataset: str = setting(
        "cifar10",
        "digits (embedded), cifar10 or another name of TensorFlow Datasets, a folder of class "
        "folders, a .csv file of paths and labels, or a .npz file.",
    )
    data_dir: str | None = setting(None, "Folder that holds the dataset's files.")
    image_size: tuple[int, ...] | None = setting(
        None,
        "Height and width that pictures in files are brought to, or one number for both (default: "
        "the median of their sizes).",
    )
    channels: int | None = setting(
        None,
        "What pictures in files are brought to: 1 is grey, 3 is RGB (default: RGB if any has "
        "colour).",
        choices=(1, 3),
    )
    resize: str = setting(
        "crop",
        "How a picture of another shape becomes one of that size: its middle is cut out, it is "
        "surrounded by the background, or it is stretched.",
        choices=RESIZE,
    )
    background: str = setting(
        "white", "Colour behind transparent pixels and around padded pictures: a name or #rrggbb."
    )
    split: str | None = setting(
        None,
        "What validates: a part of the dataset's own, examples of the training set with the same "
        "share of each class, or its last ones (default: its own part; without one the last of "
        "arrays and of cifar10, whose order means something, and shares of all else).",
        choices=("own", "stratified", "last"),
        before="last",
    )
    validation_size: int | None = setting(
        None,
        "Number of training examples kept for validation, where there is no validation part "
        "(default: one tenth).",
        minimum=1,
    )
    test_split: float | None = setting(
        None,
        "Share of the examples that become the test part, where there is none (default: 0.2).",
        above=0.0,
        below=1.0,
    )
    memory_limit: int = setting(
        1024,
        "Pictures that take more megabytes than this are not read into memory, but each time "
        "they are needed; their mean and deviation come from a sample.",
        minimum=0,
        group=Group.HARDWARE,
    )
    max_train_examples: int | None = setting(
        None, "Use only this many examples of the training set.", minimum=1
    )
    max_test_examples: int | None = setting(
        None, "Use only this many examples of the test set.", minimum=1
    )
    crop_padding: int | None = setting(
        None,
        "Pixels of zero padding before the random crop (default: an eighth of the smaller side).",
        minimum=0,
        group=Group.AUGMENTATION,
    )
    flip: bool | None = setting(
        None,
        "Flip training pictures left to right at random (default: yes, except for digits).",
        group=Group.AUGMENTATION,
    )
    cutout: float = setting(
        0.0,
        "Side of the square that CutOut blanks in training pictures, in pixels, or below 1 as a "
        "share of the smaller side; 0: none.",
        minimum=0.0,
        group=Group.AUGMENTATION,
    )

    color_jitter: float = setting(
        0.0,
        "Most that brightness, contrast and saturation of training pictures are changed at random, "
        "as a share (of pictures that are not RGB: brightness and contrast); 0: not; try 0.2.",
        minimum=0.0,
        maximum=1.0,
        group=Group.AUGMENTATION,
    )
    mixup: float = setting(
        0.0,
        "Mix each training picture and its label with another one, by a weight from Beta(a, a) "
        "with this a; 0: not; try 0.2.",
        minimum=0.0,
        group=Group.AUGMENTATION,
    )
    cutmix: float = setting(
        0.0,
        "Paste a rectangle of another one into each training picture, and mix their labels by "
        "area; its share is from Beta(a, a) with this a; 0: not; try 1. With mixup, one or the "
        "other happens to each picture.",
        minimum=0.0,
        group=Group.AUGMENTATION,
    )
    augmentation_layer: str | None = setting(
        None, "Tells the Keras layer that changes training pictures from others.", flag=False
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        size = self.image_size
        if size is not None and not (len(size) in (1, 2) and all(side >= 1 for side in size)):
            raise ConfigurationError(
                "`image_size` must be a height and a width in pixels, or one number for both. "
                f"Received: image_size={size}."
            )
        for name in ("mixup", "cutmix"):
            value = getattr(self, name)
            if 0.0 < value < _LEAST_MIXING:
                raise ConfigurationError(
                    f"`{name}` must be 0 or at least {_LEAST_MIXING}. Received: {name}={value}."
                )

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """Height and width that pictures are brought to; None: the median of their sizes."""
        return None if self.image_size is None else (self.image_size[0], self.image_size[-1])


@dataclasses.dataclass(frozen=True)
class TextDataConfig(Settings):
    """Which text, how it is divided into words, and how much of it a training step reads."""

    dataset: str = setting(
        "ptb",
        "pydoc (embedded), ptb or any folder of train, valid and test text files, a text file "
        "(divided 90:5:5), or the release's ptb.pkl.",
    )
    data_dir: str | None = setting(
        None, "Folder that holds the dataset's files, or a folder of that name."
    )
    tokenization: str = setting(
        "auto",
        "Words are what stands between blanks, as in Penn Treebank and WikiText files, or "
        "lower-case words and single punctuation marks; auto: words for pydoc, blanks for files.",
        choices=TOKENIZATIONS,
    )
    vocabulary_size: int | None = setting(
        None,
        "Keep only so many of the most frequent words of the training part; all others become "
        "<unk> (default: keep all, or if the text has no <unk> of its own, all that occur twice).",
        minimum=2,
    )
    max_train_tokens: int | None = setting(
        None, "Use only this many tokens of the training part.", minimum=1
    )
    max_test_tokens: int | None = setting(
        None, "Use only this many tokens of the test part.", minimum=1
    )
    sequence_length: int = setting(
        35, "Words over which gradients flow back in time, on average.", minimum=1
    )
    random_lengths: bool = setting(
        True,
        "Draw the length of every training segment: around sequence_length, sometimes around half "
        "of it; the learning rate is scaled with it.",
    )
