"""How far fakes are from reals: by their patches, and by the features of a network where one is asked for."""

from __future__ import annotations

from ganvas.data import Dataset
from ganvas.imaging.tensors import from_pixels, to_pixels
from ganvas.metrics.extractors import Extractor
from ganvas.metrics.figure import Figure
from ganvas.metrics.kid import KID, kid
from ganvas.metrics.sliced_wasserstein import SlicedWasserstein, project, sliced_wasserstein
from ganvas.observers.validation import Validator
from ganvas.recipe.recipe import Recipe
from ganvas.tasks.noise import as_seen, labels_of
from ganvas.training.run import Run

COUNT = 512


class ImageValidator(Validator):
    """SWD of 512 fakes (fixed z) to 512 reals of the same classes; with an extractor also the KID.

    The KID is unbiased at any number of images; so few have no Frechet distance. A trained network's features say
    better than bare pixels what is best.
    """

    def __init__(self, recipe: Recipe, dataset: Dataset, extractor: Extractor | None) -> None:
        """Prepare the reals, of the part trained on."""
        self.by = "KID" if extractor else "SWD"
        self.extractor = extractor
        self.reals = dataset.spread(COUNT)
        self.labels = labels_of(recipe, dataset, len(self.reals))
        self.projections = project(as_seen(self.reals))

    def start(self, run: Run) -> None:
        """Draw z; extract the reals' features."""
        # Another seed than the previews': what is shown is not what is measured.
        self.inputs = run.recipe.system.inputs(len(self.reals), run.recipe.seed + 1, self.labels)
        if self.extractor:
            self.extractor.network.to(run.device)
            self.features = self.extractor.extract(self.reals).features

    def measure(self, run: Run) -> list[Figure]:
        """SWD; and KID."""
        fakes = to_pixels(run.generate(self.inputs))
        count, extractor = len(self.reals), self.extractor
        distance = sliced_wasserstein(self.projections, project(from_pixels(fakes)))
        found = [SlicedWasserstein().figure("SWD", distance, {"fakes": count, "split": "train"})]
        if extractor:
            about = {**extractor.protocol, "fakes": count, "reals": count, "split": "train"}
            found.append(KID().figure("KID", kid(extractor.extract(fakes).features, self.features), about))
        return found
