"""What the tasks share whose generators begin at noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ganvas.data import Dataset
    from ganvas.diagnosis.signals import Embedding, Probe
    from ganvas.recipe.recipe import Recipe
    from ganvas.training.run import Run


def noise_probe(run: Run, dataset: Dataset, held_out: Dataset, embed: Embedding) -> Probe:
    """The probe of a run: the same noise and the same reals every time."""
    import torch

    from ganvas.diagnosis.signals import COUNT, Probe

    recipe, device = run.recipe, run.device
    train, kept = (as_seen(part.spread(COUNT)).to(device) for part in (dataset, held_out))
    counted = ((dataset, COUNT), (dataset, len(train)), (held_out, len(kept)))
    fakes, *reals = (labels_of(recipe, part, count) for part, count in counted)
    # Other noise than the previews' and the validation's.
    inputs = recipe.system.inputs(COUNT, recipe.seed + 2, fakes).to(device)
    known = (None if part is None else torch.tensor(part, device=device) for part in (fakes, *reals))
    of_fakes, of_train, of_kept = known
    labels = of_fakes, of_train, of_kept
    return Probe(inputs, train, kept, recipe.objective, recipe.system.logits, labels, embed)


def labels_of(recipe: Recipe, part: Dataset, count: int) -> list[int] | None:
    """The classes of the `count` rows that are spread over a part, where the recipe's system has classes."""
    return part.spread_labels(count).tolist() if recipe.system.classes else None


def as_seen(rows: NDArray[Any]) -> Tensor:
    """Rows of a data set as the discriminator sees them."""
    import numpy as np
    import torch

    from ganvas.imaging.tensors import from_pixels

    return from_pixels(rows) if rows.dtype == np.uint8 else torch.from_numpy(rows)
