"""The one error a person can repair: what was given is wrong, and the message says how to put it right."""


class BadInput(ValueError):  # noqa: N818  # it names what was given, not what went wrong here
    """Something given to Farm is wrong; the command line ends with exit code 2.

    The message is one sentence or two that name the file, line, row or argument, what was found there, and what
    would be right.
    """
