from enas_tf.layers.banks import GivenBank, WeightBank


def entry_of(bank, index):
    """One entry of a bank, as a stock Keras layer has it: of a kernel the values, of a
    normalisation the list of scale, offset, moving mean and moving variance."""
    if isinstance(bank, GivenBank | WeightBank):
        return bank.kernel.numpy()[index]
    variables = (bank.scale, bank.offset, bank.moving_mean, bank.moving_variance)
    return [variable.numpy()[index] for variable in variables]
