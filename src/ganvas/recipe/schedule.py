"""Schedule: which player is updated when."""

from __future__ import annotations

from dataclasses import dataclass

from ganvas.errors import InputError

WHOLE = -1  # as the length of pretraining: the whole run


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Which player is updated when."""

    pretrain: int = 0
    """Real images of pretraining, on the reconstruction losses alone; -1 is the whole run."""
    d_per_g: int = 1
    """Discriminator updates per round; WGAN-GP uses 5."""
    g_per_d: int = 1
    """Generator updates per round."""
    freeze_d: tuple[int, int] = (0, 0)
    """Range of real images (START STOP) in which the discriminator is frozen."""
    freeze_g: tuple[int, int] = (0, 0)
    """Range of real images (START STOP) in which the generator is frozen."""

    def __post_init__(self) -> None:
        if self.pretrain < WHOLE:
            raise InputError(f"--schedule.pretrain must be at least 0, or -1 for the whole run; got {self.pretrain}.")
        if min(self.d_per_g, self.g_per_d) < 1:
            raise InputError(
                f"--schedule.d-per-g {self.d_per_g} and --schedule.g-per-d {self.g_per_d} must both be at least 1; to"
                " freeze one player for a while, use --schedule.freeze-d or --schedule.freeze-g."
            )
        for name, (start, stop) in (("freeze-d", self.freeze_d), ("freeze-g", self.freeze_g)):
            if not 0 <= start <= stop:
                raise InputError(
                    f"--schedule.{name} {start} {stop} is not a range; give START STOP with 0 <= START <= STOP."
                )
        if max(self.freeze_d[0], self.freeze_g[0]) < min(self.freeze_d[1], self.freeze_g[1]):
            raise InputError(
                f"--schedule.freeze-d {self.freeze_d} and --schedule.freeze-g {self.freeze_g} overlap, which leaves"
                " no player to train; separate them."
            )
