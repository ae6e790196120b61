"""The two errors that end a command with a message: what was given is wrong, or what was begun could not go on."""


class BadInput(ValueError):  # noqa: N818  # it names what was given, not what went wrong here
    """Something given to Farm is wrong; the command line ends with exit code 2.

    The message is one sentence or two that name the file, line, row or argument, what was found there, and what
    would be right.
    """


class Failed(RuntimeError):  # noqa: N818  # as above
    """Something right was asked for and could not be done to its end; the command line ends with exit code 1.

    The message says what happened, what is kept, and how to go on.
    """
