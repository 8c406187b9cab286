"""The models that are served, by name: a name in a URL is looked up, never made into a path."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from ganvas.errors import listed, nearest

if TYPE_CHECKING:
    from ganvas.inference import Predictor

KEPT = 6  # models in memory at once, each with the options that it was opened with


class Models:
    """Models by name, opened when they are first used and kept while they are.

    Attributes:
        places: name -> run folder, file of weights or name of a bundled model.
    """

    def __init__(self, places: Mapping[str, str], *, device: str = "cpu", precision: str = "auto") -> None:
        """`precision` is that of upscalers; see `Upscaler.load`."""
        self.places, self.device, self.precision = dict(places), device, precision
        self.kept = max(KEPT, len(self.places))
        self._kept: OrderedDict[tuple[str, float], Predictor] = OrderedDict()
        self._lock = threading.Lock()

    def expect(self, name: str) -> str:
        """The name, if there is such a model.

        Raises:
            HTTPException: there is none.
        """
        if name not in self.places:
            known = listed(list(self.places))
            raise HTTPException(404, f"there is no model {name!r}{nearest(name, self.places)}; available: {known}.")
        return name

    def open(self, name: str, strength: float = 1.0) -> Predictor:
        """A model; call it in a thread, since it may take seconds. For `strength` see `Upscaler.load`.

        Raises:
            InputError: it is gone or damaged, or cannot be mixed with its start.
        """
        from ganvas.inference import Upscaler
        from ganvas.inference.loading import open as open_model
        from ganvas.inference.loading import predictor_of, read_model

        with self._lock:
            key = name, round(strength, 2)
            if key not in self._kept:
                options: dict[str, Any] = {}
                if issubclass(predictor_of(read_model(self.places[name]).about.task), Upscaler):
                    options = {"strength": key[1], "precision": self.precision}
                self._kept[key] = open_model(self.places[name], device=self.device, **options)
                while len(self._kept) > self.kept:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]

    def forget(self, name: str) -> None:
        """Drop a model from memory."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == name]:
                del self._kept[key]

    def describe(self, name: str) -> dict[str, Any]:
        """What a client has to know of a model; see `open`."""
        from ganvas.inference import Generator

        model = self.open(name)
        about = model.about
        found = {
            "name": name,
            "task": about.task,
            "inputs": about.inputs,
            "does": model.does,
            "operations": operations(model),
            "scale": about.scale,
            "channels": about.channels,
            "classes": list(about.classes),
            "licence": about.licence,
            "images_seen": about.images_seen,
            "network": about.network,
        }
        if isinstance(model, Generator):
            found |= {"size": list(model.system.shape[-2:]), "latent": model.system.latent}
        return found


def operations(model: Predictor) -> list[str]:
    """What can be asked of a model."""
    from ganvas.inference import Repairer, Upscaler
    from ganvas.inference.sampler import Sampler

    known = {Sampler: ["generate"], Upscaler: ["upscale"], Repairer: ["repair", "damage"]}
    return next((names for kind, names in known.items() if isinstance(model, kind)), [])


def named(places: Sequence[str]) -> dict[str, str]:
    """A name for each model, by the run's folder, the file or the bundled model; each once."""
    found: dict[str, str] = {}
    for place in places:
        base = Path(place).stem if Path(place).is_file() else Path(place).resolve().name
        name, number = base, 2
        while name in found:
            name, number = f"{base}-{number}", number + 1
        found[name] = place
    return found
