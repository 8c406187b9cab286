"""The training loop of every GAN. Nothing else calls `backward` or `step`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.data.feed import Feed
from ganvas.errors import InputError
from ganvas.recipe.batch import Batch
from ganvas.training.observer import Observer
from ganvas.training.phases import Phase, Player, phases
from ganvas.training.run import Report, Run
from ganvas.training.seeding import seed_everything

GUARD_EVERY = 16  # rounds between checks for non-finite losses, since each check synchronizes with the device


class Diverged(RuntimeError):
    """A loss term or weight is no longer finite."""

    def __init__(self, images: int, term: str) -> None:
        super().__init__(f"{term} is not finite at image {images:,}")
        self.images, self.term = images, term


@dataclass(frozen=True)
class Timing:
    """Wall-clock seconds of a call to `train`: in total, and spent on data and observers."""

    total: float
    data: float
    observers: float


Failed = Callable[[Observer, Exception], object]


def train(
    run: Run,
    feed: Feed,
    observers: Sequence[Observer],
    stop: Callable[[], bool] = lambda: False,
    failed: Failed | None = None,
) -> Timing:
    """Train until the recipe's images have been seen, or until `stop` or the run's controller ends the run after a
    round.

    Args:
        failed: called with an observer that is not vital and its error, after which the run goes on without it; if
            None, the error is raised. An `InputError` before the first round is always raised.

    Raises:
        Diverged: a term became NaN or infinite; the run's weights are then unusable.
    """
    controller = run.controller
    unguarded: list[Report] = []
    began = time.perf_counter()
    observers = _tell(observers, lambda observer: observer.start(run), failed, first=True)
    observing = time.perf_counter() - began
    while run.images_seen < run.recipe.images and not stop():
        report = _round(run, feed)
        unguarded.append(report)
        if len(unguarded) == GUARD_EVERY:
            try:
                _guard(unguarded)
            except Diverged:
                if controller is None or not controller.rescue():
                    raise
                continue
        ended = controller is not None and controller.step(report)
        if observers:
            observing_since = time.perf_counter()
            observers = _tell(observers, lambda observer: observer.step(run, report), failed)  # noqa: B023 -- called here
            observing += time.perf_counter() - observing_since
        if ended:
            break
    _guard(unguarded)
    if not run.is_finite():
        raise Diverged(run.images_seen, "a weight")
    if controller is not None and run.images_seen >= run.recipe.images:
        controller.end()
    observing_since = time.perf_counter()
    _tell(sorted(observers, key=lambda observer: not observer.vital), lambda observer: observer.end(run), failed)
    observing += time.perf_counter() - observing_since
    return Timing(time.perf_counter() - began, feed.waited, observing)


def _tell(
    observers: Sequence[Observer], call: Callable[[Observer], object], failed: Failed | None, first: bool = False
) -> list[Observer]:
    """Call the observers; return those that have not failed."""
    kept = []
    for observer in observers:
        try:
            call(observer)
        except Exception as error:
            if failed is None or observer.vital or (first and isinstance(error, InputError)):
                raise
            failed(observer, error)
        else:
            kept.append(observer)
    return kept


def _round(run: Run, feed: Feed) -> Report:
    adaptive = run.adaptive
    probability = adaptive.probability if adaptive else None
    active = [phase for phase in phases(run.recipe, probability) if phase.active(run.images_seen)]
    # Time is counted in real images seen by the discriminator; while it is frozen, in those of the generator's updates.
    clock: Player = "d" if any(phase.player == "d" for phase in active) else "g"
    terms: dict[str, Tensor] = {}
    update = 0
    for phase in active:
        for repeat in range(phase.repeat):
            seed_everything(run.recipe.seed, run.images_seen, update)
            # Every update has its own images: the generator's updates use separate streams.
            batch = feed.batch(run.images_seen, stream=0 if phase.player == "d" else 1 + repeat)
            terms |= _update(run, phase, batch)
            update += 1
            if phase.player == clock:
                run.images_seen += run.recipe.batch_size
    if adaptive:
        terms |= adaptive.step(terms, run.recipe)
    run.update_ema()
    return Report(run.images_seen, terms, feed.waited)


def _update(run: Run, phase: Phase, batch: Batch) -> dict[str, Tensor]:
    recipe = run.recipe
    if phase.player == "d":
        mover, other, optimizer, rule = run.d, run.g, run.adam_d, recipe.adam_d
    else:
        mover, other, optimizer, rule = run.g, run.d, run.adam_g, recipe.adam_g
    mover.requires_grad_(True)
    other.requires_grad_(False)
    with run.autocast():
        terms = phase.terms(run.g, run.d, batch)
    optimizer.zero_grad()
    torch.autograd.backward([sum(terms.values(), torch.zeros((), device=run.device))])
    if rule.clip:
        torch.nn.utils.clip_grad_norm_(mover.parameters(), rule.clip)
    for group in optimizer.param_groups:
        # The rates may be ramps, and a controller may have changed them.
        group |= rule.settings(run.images_seen)
    optimizer.step()
    return {name: term.detach() for name, term in terms.items()}


def _guard(reports: list[Report]) -> None:
    """Raise for the first term that is not finite, and clear the checked reports."""
    if not reports:
        return
    named = [(report.images_seen, name, term) for report in reports for name, term in report.terms.items()]
    reports.clear()
    finite = torch.stack([term for _, _, term in named]).isfinite()
    if not finite.all():
        images, name, _ = named[int((~finite).int().argmax())]
        raise Diverged(images, name)
