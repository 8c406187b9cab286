"""One command's worth of training: begin or resume, what it costs, sanity checks, where it runs."""

from typing import TYPE_CHECKING

from ganvas.lazy import attributes

if TYPE_CHECKING:
    from ganvas.experiment.host import Host
    from ganvas.experiment.session import Outcome, train

__all__ = ["Host", "Outcome", "train"]

# A value such as Host needs no torch.
__getattr__ = attributes(
    __name__, {"ganvas.experiment.host": ("Host",), "ganvas.experiment.session": ("Outcome", "train")}
)
