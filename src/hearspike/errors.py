"""The one error that every part raises for bad input, and the notice for input that was mended."""


class InputError(ValueError):
    """Something given by the user is wrong; says what, which value it had, and what was expected.

    Parameters
    ----------
    subject
        Name of the argument, configuration key or file.
    value
        What was found there.
    expected
        What would have been accepted.

    Examples
    --------
    >>> raise InputError("model.epochs", -1, "a whole number of at least 1")
    Traceback (most recent call last):
    hearspike.errors.InputError: model.epochs: got -1, expected a whole number of at least 1
    """

    def __init__(self, subject: object, value: object, expected: str) -> None:
        self.subject, self.value, self.expected = subject, value, expected
        found = value if isinstance(value, str) else repr(value)
        super().__init__(f"{subject}: got {found}, expected {expected}")

    def __reduce__(self) -> tuple[type["InputError"], tuple[object, object, str]]:
        return (type(self), (self.subject, self.value, self.expected))


class Notice(UserWarning):
    """Input was accepted after a change that the user should know of, such as stereo mixed down to mono."""
