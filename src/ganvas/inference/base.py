"""What `ganvas.open` gives: a Predictor, and the Descriptor by which callers that know no modality use it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from numpy.typing import NDArray
from torch import nn

from ganvas.errors import InputError
from ganvas.recipe.system import System

Inputs = Literal["noise", "image", "image+mask", "text"]


@dataclass(frozen=True)
class Descriptor:
    """What a model is.

    Attributes:
        name: of the run, or of the file.
        task: the modality, as in `System.task`.
        inputs: what goes in.
        scale: how many times the sides of an image grow.
        channels: of the images that come out, 1 grey or 3 RGB; 0 where none come out.
        classes: names of the classes that can be asked for, in the order of their numbers.
        licence: of the weights; empty where it is not known.
        images_seen: real images it was trained on; 0 where that is not known.
        start: name or path of the model that its training started from, if any.
        network: the architecture, or the program that the weights come from.
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


@dataclass(frozen=True)
class Model:
    """A network read from a file: in evaluation mode, on its device, of which a predictor is made.

    Attributes:
        system: the GAN that it belongs to; None for a network of another program.
        smallest: side in pixels of the smallest image that the network takes.
    """

    network: nn.Module
    about: Descriptor
    system: System | None = None
    smallest: int = 1


class Predictor(ABC):
    """A trained model, ready to use. One subclass a task; `ganvas.open` finds it by its `task`, wherever it is defined.

    Attributes:
        task: the `System.task` whose systems it opens; empty where it opens none.
        inputs: what goes in.
        does: what it does, as messages say it after the model's name: "makes images from noise".
        use: the command that uses it, with {model} in it.
        about: what it is.
    """

    task: ClassVar[str] = ""
    inputs: ClassVar[Inputs]
    does: ClassVar[str]
    use: ClassVar[str]
    about: Descriptor

    @classmethod
    @abstractmethod
    def load(cls, model: Model, *arguments: Any, **options: Any) -> Self:
        """Make one of a network; the options are the subclass's own.

        Raises:
            InputError: an option does not fit.
        """

    @property
    def name(self) -> str:
        """The model's."""
        return self.about.name

    @property
    def images_seen(self) -> int:
        """Real images it was trained on; 0 where that is not known."""
        return self.about.images_seen

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that can be asked for, in the order of their numbers; mostly none."""
        return self.about.classes

    def sample(self, n: int, seed: int = 0, label: str | int | Sequence[int] | None = None) -> NDArray[Any]:
        """Make `n` samples (n, ...) from noise, as measures take them: images uint8 (n, H, W, C).

        Raises:
            InputError: it begins at something else than noise.
        """
        raise InputError(
            f"{self.name} {self.does}, and makes nothing from noise; use {self.use.format(model=self.name)}."
        )
