"""Who moves when."""

from __future__ import annotations

from dataclasses import dataclass

from ganvas.errors import InputError

WHOLE = -1  # the length of a pretraining that lasts as long as the run


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Who moves when."""

    pretrain: int = 0
    """Real images of pretraining first, when only the generator moves, on its content terms; -1 is the whole run."""
    d_per_g: int = 1
    """Discriminator updates in a round; WGAN-GP uses 5."""
    g_per_d: int = 1
    """Generator updates in a round."""
    freeze_d: tuple[int, int] = (0, 0)
    """Hold the discriminator's weights between these counts of real images (start, stop)."""
    freeze_g: tuple[int, int] = (0, 0)
    """Hold the generator's weights between these counts of real images (start, stop)."""

    def __post_init__(self) -> None:
        if self.pretrain < WHOLE:
            raise InputError(
                f"--schedule.pretrain {self.pretrain} is no count of images; give 0 or more, or -1 for all."
            )
        if min(self.d_per_g, self.g_per_d) < 1:
            raise InputError(
                f"a round of {self.d_per_g} discriminator and {self.g_per_d} generator updates is no game; both must be"
                " at least 1 (use --schedule.freeze-d or --schedule.freeze-g to hold one player for a while)."
            )
        for name, (start, stop) in (("freeze-d", self.freeze_d), ("freeze-g", self.freeze_g)):
            if not 0 <= start <= stop:
                raise InputError(
                    f"--schedule.{name} {start} {stop} does not go forward from 0 or later; give START STOP."
                )
        if max(self.freeze_d[0], self.freeze_g[0]) < min(self.freeze_d[1], self.freeze_g[1]):
            raise InputError(
                f"--schedule.freeze-d {self.freeze_d} and --schedule.freeze-g {self.freeze_g} overlap, which leaves"
                " nobody to train; move them apart."
            )
