"""Running one experiment: begin or resume a run, estimate its cost, sanity checks and host."""

from typing import TYPE_CHECKING

from ganvas.lazy import attributes

if TYPE_CHECKING:
    from ganvas.experiment.host import Host
    from ganvas.experiment.session import Outcome, train

__all__ = ["Host", "Outcome", "train"]

# Lazy, since values such as Host need no torch.
__getattr__ = attributes(
    __name__, {"ganvas.experiment.host": ("Host",), "ganvas.experiment.session": ("Outcome", "train")}
)
