"""The recipe: every value that determines the weights.

Everything here is frozen, compares by value and round-trips through JSON (`serialization`). Settings that only observe
(`ganvas.observers.watch.Watch`) or only host (`ganvas.experiment.Host`) a run are deliberately kept elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from ganvas.errors import InputError
from ganvas.recipe.objectives import NonSaturating, Objective
from ganvas.recipe.optimizers import Adam, Optimizer
from ganvas.recipe.penalties import Penalty
from ganvas.recipe.ramp import Ramp, at, ends
from ganvas.recipe.reconstruction import ReconstructionLoss
from ganvas.recipe.schedule import WHOLE, Schedule
from ganvas.recipe.serialization import brief
from ganvas.recipe.sources import Source
from ganvas.recipe.system import System

Change = Literal["colour", "shift", "cut", "blit", "geometry", "tone"]
LEAKING: tuple[Change, ...] = ("blit", "geometry", "tone")  # applied to almost every image, these leak into the fakes
CAP = 0.8  # probability above which they leak (Karras et al. 2020, appendix C)


@dataclass(frozen=True, kw_only=True)
class EMA:
    """Exponential moving average of the generator's weights, used for samples, measures and the final model."""

    half_life: float | Ramp = 0
    """Half-life of a weight in real images seen, or a ramp; 0 disables the average."""
    rampup: float = 0.05
    """Upper bound on the half-life as a fraction of the images seen, so that early weights are forgotten."""

    def __post_init__(self) -> None:
        if any(not math.isfinite(end) or end < 0 for end in ends(self.half_life)) or self.rampup <= 0:
            raise InputError(
                f"--ema.half-life must be at least 0 (off) and --ema.rampup above 0; got {self.half_life} and"
                f" {self.rampup}."
            )

    def beta(self, images: int, batch_size: int) -> float:
        """The decay of the average in one update: 0.5^(batch / half-life) (Karras et al. 2020)."""
        half_life = min(at(self.half_life, images), self.rampup * images)
        return 0.5 ** (batch_size / half_life) if half_life > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class Augment:
    """Augmentation of the images that the discriminator sees."""

    flip: bool = False
    """Flip real images left to right with probability one half; right for faces, wrong for digits."""
    differentiable: float | Ramp = 0.0
    """Probability of each change of the policy, for reals and fakes alike, or a ramp; for small datasets."""
    policy: tuple[Change, ...] = ("colour", "shift", "cut")
    """Changes to apply: DiffAugment's colour, shift and cut; ADA's blit, geometry and tone."""
    tone_factor: float = 1.0
    """Factor on the probability of the tone changes; R3GAN uses 0.5."""
    target: float = 0.0
    """Target mean sign of D's scores of reals, to which the probability adapts; ADA uses 0.6, 0 keeps it fixed."""
    adapt_over: int = 500_000
    """Real images in which an adaptive probability can rise from 0 to 1; use fewer for a short run."""
    noise: float | Ramp = 0.0
    """Standard deviation of noise added to the discriminator's input, or a ramp (0.2..0@100000)."""

    def __post_init__(self) -> None:
        if not all(0 <= probability <= 1 for probability in ends(self.differentiable)):
            raise InputError(f"--augment.differentiable must be a probability in 0..1; got {self.differentiable}.")
        if not self.policy or len(set(self.policy)) < len(self.policy):
            raise InputError(
                f"--augment.policy must name at least one change, and each only once, such as colour shift cut; got"
                f" {' '.join(self.policy) or 'none'}."
            )
        if not 0 <= self.tone_factor <= 1:
            raise InputError(f"--augment.tone-factor must lie in 0..1; got {self.tone_factor}.")
        if not 0 <= self.target < 1:
            raise InputError(f"--augment.target must be at least 0 (off) and below 1, such as 0.6; got {self.target}.")
        if self.target and (isinstance(self.differentiable, Ramp) or self.differentiable > CAP):
            raise InputError(
                f"--augment.differentiable {self.differentiable} cannot be the start of an adaptive probability"
                f" (--augment.target {self.target}); give a number in 0..{CAP}, or omit one of the two."
            )
        if self.adapt_over < 1:
            raise InputError(f"--augment.adapt-over must be at least 1 image, such as 500000; got {self.adapt_over}.")
        if any(not math.isfinite(strength) or strength < 0 for strength in ends(self.noise)):
            raise InputError(f"--augment.noise must be a standard deviation of at least 0; got {self.noise}.")


@dataclass(frozen=True, kw_only=True)
class Steering:
    """Reaction to a problem found by the diagnosis."""

    mode: Literal["advise", "treat"] = "advise"
    """Print the remedy (advise), or apply one at a time, keeping it only if it helps (treat)."""
    treatments: int = 4
    """Maximum number of remedies; if none of them solves the problem, the run returns to its best state and ends."""
    every: int = 0
    """Images between checks when treating; 0 is 50 batches. (When advising, see --watch.diagnose-every.)"""

    def __post_init__(self) -> None:
        if self.treatments < 1 or self.every < 0:
            raise InputError(
                f"--steering.treatments must be at least 1 and --steering.every at least 0 (50 batches); got"
                f" {self.treatments} and {self.every}."
            )


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that can change the weights. Equal recipes on the same data give identical runs."""

    system: System
    """Networks and their rules."""
    data: Source
    """Real images or points."""
    objective: Objective = field(default_factory=NonSaturating)
    """Adversarial losses of both players."""
    penalties: tuple[Penalty, ...] = ()
    """Terms that keep the discriminator smooth."""
    reconstruction: tuple[ReconstructionLoss, ...] = ()
    """Terms that compare a fake with its target."""
    adversarial: float = 1.0
    """Weight of the objective in the generator's loss."""
    start: str = ""
    """Run, model name or model file with the generator's initial weights; empty starts from scratch."""
    adam_g: Optimizer = field(default_factory=Adam)
    """Generator's optimizer: Adam, SGD or RMSprop."""
    adam_d: Optimizer = field(default_factory=Adam)
    """Discriminator's optimizer: Adam, SGD or RMSprop."""
    schedule: Schedule = field(default_factory=Schedule)
    """Which player is updated when."""
    ema: EMA = field(default_factory=EMA)
    """Moving average of the generator's weights."""
    augment: Augment = field(default_factory=Augment)
    """Augmentation of the images that the discriminator sees."""
    steering: Steering = field(default_factory=Steering)
    """Reaction to a problem found by the diagnosis."""
    batch_size: int = 64
    """Real images per update, across all processes."""
    images: int = 1_000_000
    """Length of the run in real images seen by the discriminator."""
    seed: int = 0
    """Seed of the initial weights, the data order and all noise."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Precision of the networks; all else, and the critic under a GradientPenalty, stays in fp32."""

    def __repr__(self) -> str:
        return brief(self)

    def __post_init__(self) -> None:
        if self.batch_size < 2:
            raise InputError(f"--batch-size {self.batch_size} is too small for batch statistics; use at least 2.")
        if self.images < self.batch_size:
            raise InputError(f"--images {self.images} is less than one batch; use at least {self.batch_size}.")
        self._check_parts()
        if not 0 <= self.seed < 2**63:
            raise InputError(f"--seed must lie in 0..2^63-1; got {self.seed}.")

    def _check_parts(self) -> None:
        """Reject parts that are incompatible with each other."""
        if self.schedule.pretrain > self.images:
            raise InputError(
                f"--schedule.pretrain {self.schedule.pretrain} is longer than the run's --images {self.images}; shorten"
                " it, or use -1 to pretrain for the whole run."
            )
        if self.schedule.pretrain and not any(loss.due("pretrain") for loss in self.reconstruction):
            raise InputError(
                f"--schedule.pretrain {self.schedule.pretrain} has no reconstruction loss to train on; omit it, or"
                " use a recipe with one (ganvas list)."
            )
        start, stop = self.schedule.freeze_g
        if (
            self.schedule.pretrain
            and start < stop
            and (self.schedule.pretrain == WHOLE or start < self.schedule.pretrain)
        ):
            raise InputError(
                f"--schedule.freeze-g {start} {stop} would freeze the only player that trains during pretraining;"
                " start it after --schedule.pretrain, or omit it."
            )
        if not (math.isfinite(self.adversarial) and self.adversarial >= 0):
            raise InputError(
                f"--adversarial must be a finite weight of at least 0, such as SRGAN's 1e-3; got {self.adversarial}."
            )
        if self.augment.target and self.objective.critic:
            raise InputError(
                f"--augment.target {self.augment.target} needs D's scores to detect overfitting, but the critic of"
                f" {type(self.objective).__name__} only estimates a distance; omit it, or use another --objective."
            )
