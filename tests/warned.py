"""What the package warned of."""


def warned(caplog):
    """Returns the warnings of the package; TensorFlow warns too, of what many tests trace."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelname == "WARNING" and record.name.startswith("enas_tf")
    ]
