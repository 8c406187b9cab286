"""What a user can put right."""


class InputError(Exception):
    """Something the user gave cannot be used.

    The message is one sentence that names the input, says what is wrong with it and how to mend it. The command
    line prints it alone, without a traceback, and exits with code 2.
    """
