"""List the systems and their recipes"""

from __future__ import annotations

from ganvas.cli._parser import Parser
from ganvas.terminal import print


def main(argv: list[str]) -> int:
    """Run ``ganvas list``; parses the sources, imports no torch."""
    Parser("ganvas list", description=__doc__).parse_args(argv)
    from itertools import groupby

    from ganvas.systems import entries

    for (system, paper), recipes in groupby(entries(), lambda entry: (entry.system, entry.paper)):
        print(f"{system}  ({paper})" if paper else system)
        for entry in recipes:
            print(f"  {entry.name:<24}{entry.summary}")
    return 0
