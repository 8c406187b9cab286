"""argparse, with our manner of refusing."""

from __future__ import annotations

import argparse
from typing import NoReturn

from ganvas.errors import InputError


class Parser(argparse.ArgumentParser):
    """Raises one sentence where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Raises:
            InputError: always.
        """
        raise InputError(f"{self.prog} cannot be run so: {message}; {self.prog} --help shows what it takes.")
