"""argparse, with one-sentence errors."""

from __future__ import annotations

import argparse
from typing import NoReturn

from ganvas.errors import InputError


class Parser(argparse.ArgumentParser):
    """An argument parser that raises InputError instead of printing its usage and exiting."""

    def error(self, message: str) -> NoReturn:
        """Reject the command line.

        Raises:
            InputError: always.
        """
        raise InputError(f"{message}; run {self.prog} --help for usage.")
