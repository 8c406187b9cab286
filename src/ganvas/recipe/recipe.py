"""The values that decide the weights: a recipe and its parts.

Everything here is frozen, compares by value and round-trips through JSON (`serialization`). What only looks
(`ganvas.observers.Watch`) and what only hosts (`ganvas.experiment.Host`) stand elsewhere, on purpose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from ganvas.errors import InputError
from ganvas.recipe.adam import Adam
from ganvas.recipe.objectives import NonSaturating, Objective
from ganvas.recipe.penalties import Penalty
from ganvas.recipe.ramp import Ramp, at, ends
from ganvas.recipe.reconstruction import ReconstructionLoss
from ganvas.recipe.schedule import WHOLE, Schedule
from ganvas.recipe.sources import Source
from ganvas.recipe.system import System

Change = Literal["colour", "shift", "cut", "blit", "geometry", "tone"]
LEAKING: tuple[Change, ...] = ("blit", "geometry", "tone")  # where almost every picture is changed, fakes become so too
CAP = 0.8  # probability of a change above which that begins (Karras et al. 2020, appendix C)


@dataclass(frozen=True, kw_only=True)
class EMA:
    """The moving average of the generator's weights that samples, scores and results are made with."""

    half_life: float | Ramp = 0
    """Real images after which an old weight counts half, or a ramp of it; 0 turns the average off."""
    rampup: float = 0.05
    """Early on the half-life is at most this share of the images seen, so that the start is forgotten."""

    def __post_init__(self) -> None:
        if any(not math.isfinite(end) or end < 0 for end in ends(self.half_life)) or self.rampup <= 0:
            raise InputError(
                f"an EMA half-life of {self.half_life} images with ramp-up {self.rampup} cannot be; give a half-life of"
                " 0 (off) or more and a ramp-up above 0."
            )

    def beta(self, images: int, batch_size: int) -> float:
        """The weight of the old average in one update: 0.5^(batch / half-life) (Karras et al. 2020)."""
        half_life = min(at(self.half_life, images), self.rampup * images)
        return 0.5 ** (batch_size / half_life) if half_life > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class Augment:
    """What is done to pictures on their way to the discriminator."""

    flip: bool = False
    """Mirror each real picture left to right with probability one half; right for faces, wrong for digits."""
    differentiable: float | Ramp = 0.0
    """Probability of each of the policy's changes, to reals and fakes alike, or a ramp of it; for little data."""
    policy: tuple[Change, ...] = ("colour", "shift", "cut")
    """The changes: DiffAugment's colour, shift and cut; ADA's blit, geometry and tone."""
    tone_factor: float = 1.0
    """Of the probability, for the changes of tone; R3GAN has 0.5."""
    target: float = 0.0
    """Let the probability adapt, from --augment.differentiable on, so that the mean sign of D's score of the reals is
    this; ADA has 0.6. 0 leaves the probability as it is."""
    adapt_over: int = 500_000
    """Real images in which an adapting probability can go from 0 to 1; fewer for a short run."""
    noise: float | Ramp = 0.0
    """Standard deviation of the noise on all that the discriminator sees, or a ramp of it (0.2..0@100000)."""

    def __post_init__(self) -> None:
        if not all(0 <= chance <= 1 for chance in ends(self.differentiable)):
            raise InputError(f"--augment.differentiable {self.differentiable} is no probability; give 0 to 1.")
        if not self.policy or len(set(self.policy)) < len(self.policy):
            raise InputError(
                f"--augment.policy {' '.join(self.policy) or 'of nothing'} must name each change once; give e.g. colour"
                " shift cut."
            )
        if not 0 <= self.tone_factor <= 1:
            raise InputError(f"--augment.tone-factor {self.tone_factor} is no share of a probability; give 0 to 1.")
        if not 0 <= self.target < 1:
            raise InputError(f"--augment.target {self.target} is no mean sign to hold; give 0.6, or 0 for none.")
        if self.target and (isinstance(self.differentiable, Ramp) or self.differentiable > CAP):
            raise InputError(
                f"--augment.differentiable {self.differentiable} is no probability to adapt from, as --augment.target"
                f" {self.target} asks; give a number of 0 to {CAP}, or leave one of the two out."
            )
        if self.adapt_over < 1:
            raise InputError(f"--augment.adapt-over {self.adapt_over} is no count of images; give e.g. 500000.")
        if any(not math.isfinite(strength) or strength < 0 for strength in ends(self.noise)):
            raise InputError(f"--augment.noise {self.noise} is no standard deviation; give a number of 0 or more.")


@dataclass(frozen=True, kw_only=True)
class Steering:
    """What happens when the diagnosis finds the game ill."""

    mode: Literal["advise", "treat"] = "advise"
    """Print the remedy, or apply one at a time, keep it where it helps and take it back where not."""
    treatments: int = 4
    """Remedies to try at most; if the game is still ill after the last, the run goes back to its best and ends."""
    every: int = 0
    """Images between looks while treating; 0 is 50 batches. (While advising, --watch.diagnose-every says it.)"""

    def __post_init__(self) -> None:
        if self.treatments < 1 or self.every < 0:
            raise InputError(
                f"steering with {self.treatments} treatments and a look every {self.every} images cannot be; give at"
                " least 1 treatment, and 0 (50 batches) or more images."
            )


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that can change the weights. Two equal recipes on the same data give the same run."""

    system: System
    """The networks and their rules."""
    data: Source
    """Where real pictures, or points, come from."""
    objective: Objective = field(default_factory=NonSaturating)
    """The game the two players play."""
    penalties: tuple[Penalty, ...] = ()
    """Extra terms that keep the discriminator smooth."""
    reconstruction: tuple[ReconstructionLoss, ...] = ()
    """Terms that tie a fake to the picture it should be."""
    adversarial: float = 1.0
    """Weight of the objective among the generator's terms."""
    start: str = ""
    """A run, or a model's name or file, whose generator's weights are the first; empty is fresh ones."""
    adam_g: Adam = field(default_factory=Adam)
    """The generator's optimizer."""
    adam_d: Adam = field(default_factory=Adam)
    """The discriminator's optimizer."""
    schedule: Schedule = field(default_factory=Schedule)
    """Who moves when."""
    ema: EMA = field(default_factory=EMA)
    """Moving average of the generator's weights."""
    augment: Augment = field(default_factory=Augment)
    """What is done to pictures before the discriminator sees them."""
    steering: Steering = field(default_factory=Steering)
    """What happens when the diagnosis finds the game ill."""
    batch_size: int = 64
    """Real pictures in one update, over all processes."""
    images: int = 1_000_000
    """Real pictures the discriminator sees before the run ends."""
    seed: int = 0
    """Decides the initial weights, the order of the data and all noise."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the networks, and so of the slopes that R1 and R2 take; weights, optimizers, losses and the critic
    under a GradientPenalty stay in fp32."""

    def __post_init__(self) -> None:
        if self.batch_size < 2:
            raise InputError(f"--batch-size {self.batch_size} is too small for batch statistics; give at least 2.")
        if self.images < self.batch_size:
            raise InputError(
                f"--images {self.images} is less than one batch of {self.batch_size}; give at least {self.batch_size}."
            )
        self._check_parts()
        if not 0 <= self.seed < 2**63:
            raise InputError(f"--seed {self.seed} must lie in 0..2^63-1.")

    def _check_parts(self) -> None:
        """Refuse parts that do not fit each other."""
        if self.schedule.pretrain > self.images:
            raise InputError(
                f"--schedule.pretrain {self.schedule.pretrain} is longer than the run's --images {self.images}; shorten"
                " it, or give -1 for a run that is all pretraining."
            )
        if self.schedule.pretrain and not any(loss.due("pretrain") for loss in self.reconstruction):
            raise InputError(
                f"--schedule.pretrain {self.schedule.pretrain} has nothing to train on, since no content term is for"
                " it; leave it out, or take a recipe with one (ganvas list)."
            )
        start, stop = self.schedule.freeze_g
        if (
            self.schedule.pretrain
            and start < stop
            and (self.schedule.pretrain == WHOLE or start < self.schedule.pretrain)
        ):
            raise InputError(
                f"--schedule.freeze-g {start} {stop} would hold the only player that moves in pretraining; let it begin"
                " after --schedule.pretrain, or leave it out."
            )
        if not (math.isfinite(self.adversarial) and self.adversarial >= 0):
            raise InputError(f"--adversarial {self.adversarial} is no weight; give 0 or more, SRGAN's is 1e-3.")
        if self.augment.target and self.objective.critic:
            raise InputError(
                f"--augment.target {self.augment.target} reads from D's scores whether D overfits, which those of"
                f" {type(self.objective).__name__}'s critic, a distance, do not tell; leave it out, or take another"
                " --objective."
            )
