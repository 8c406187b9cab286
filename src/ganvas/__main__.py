"""``python -m ganvas``"""

from ganvas.cli import entry

entry()
