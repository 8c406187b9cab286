"""What `ganvas.open` returns: a Predictor, with a Descriptor for callers that know no modality."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

from numpy.typing import NDArray
from torch import nn

from ganvas.data import Dataset
from ganvas.errors import InputError
from ganvas.metrics.sentences import Lines
from ganvas.recipe.system import System

Inputs = Literal["noise", "image", "image+mask", "text"]


@dataclass(frozen=True)
class Descriptor:
    """The description of a model.

    Attributes:
        name: name of the run or of the file.
        task: the modality, as in `System.task`.
        inputs: kind of input.
        scale: factor by which the sides of an image grow.
        channels: channels of the output images, 1 (grey) or 3 (RGB); 0 if the output is not images.
        classes: names of the classes to choose from, in the order of their numbers.
        licence: licence of the weights; empty if unknown.
        images_seen: number of real images seen in training; 0 if unknown.
        start: name or path of the model that its training started from, if any.
        network: the architecture, or the program that the weights come from.
        restores: whether it removes noise and blocks, so that its colours are those of the input over areas only.
    """

    name: str
    task: str
    inputs: Inputs
    scale: int = 1
    channels: int = 0
    classes: tuple[str, ...] = ()
    licence: str = ""
    images_seen: int = 0
    start: str = ""
    network: str = ""
    restores: bool = False


@dataclass(frozen=True)
class Model:
    """A network read from a file, in evaluation mode and on its device, from which a predictor is made.

    Attributes:
        system: the GAN that it belongs to; None for a network of another program.
        smallest: side in pixels of the smallest image that the network accepts.
        names: what else names its outputs, as `ganvas.tasks.Task.names` gave it: anybody's words, to be checked.
    """

    network: nn.Module
    about: Descriptor
    system: System | None = None
    smallest: int = 1
    names: Mapping[str, Any] = field(default_factory=dict)


class Predictor(ABC):
    """A trained model, ready to use. Each task has a subclass, which may be defined anywhere: `ganvas.open` finds it.

    Attributes:
        task: the `System.task` of the systems it opens; empty if it opens none.
        inputs: kind of input.
        does: what it does, for messages after the model's name: "makes images from noise".
        use: the command that uses it, with a placeholder {model}.
        about: the model's description.
        network: the trained network in evaluation mode, which predictors from `ganvas.open` have.
        read_discriminator: reads the discriminator that the model was trained against; None if there is none.
    """

    task: ClassVar[str] = ""
    inputs: ClassVar[Inputs]
    does: str
    use: ClassVar[str]
    about: Descriptor
    network: nn.Module
    read_discriminator: Callable[[], nn.Module] | None = None

    def __repr__(self) -> str:
        facts = [self.does, self.about.network, f"{self.images_seen:,} images seen" if self.images_seen else ""]
        return f"<{type(self).__name__} {self.name}: {', '.join(fact for fact in facts if fact)}>"

    @classmethod
    @abstractmethod
    def load(cls, model: Model, *arguments: Any, **options: Any) -> Self:
        """Make a predictor from a model; the options depend on the subclass.

        Raises:
            InputError: an option is invalid.
        """

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.about.name

    @property
    def images_seen(self) -> int:
        """Number of real images seen in training; 0 if unknown."""
        return self.about.images_seen

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes in the order of their numbers; often none."""
        return self.about.classes

    @property
    def discriminator(self) -> nn.Module:
        """The discriminator that the model was trained against, in evaluation mode; read when it is asked for.

        Raises:
            InputError: the file holds the generator alone, as every file but a run's checkpoints does.
        """
        if self.read_discriminator is None:
            raise InputError(f"{self.name} has no discriminator; give the folder of a run to ganvas.open.")
        return self.read_discriminator()

    def sample(self, n: int, seed: int = 0, label: str | int | Sequence[int] | None = None) -> NDArray[Any]:
        """Generate `n` samples (n, ...) from noise, as measures read them: images as uint8 (n, H, W, C).

        Raises:
            InputError: the model's input is not noise.
        """
        raise InputError(
            f"{self.name} {self.does} and cannot sample from noise; use {self.use.format(model=self.name)}."
        )

    def evidence(self, made: NDArray[Any], reals: NDArray[Any], training: Dataset, seed: int) -> Mapping[str, Any]:
        """What measures may ask for besides samples, by its name in `ganvas.metrics.measure.Evidence`.

        Args:
            made: some of its samples.
            reals: rows that they are compared with, of the same source as `training`, what it was trained on.
            seed: of whatever has to be chosen.

        Raises:
            InputError: the data are not those that it was trained on.
        """
        return {}

    def draws(self, n: int, seed: int) -> Callable[[float], Lines] | None:
        """What makes `n` sentences of a seed at any temperature; None of a model of anything else."""
        return None
