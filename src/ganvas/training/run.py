"""The state of a run: the only thing that changes during training."""

from __future__ import annotations

import copy
import inspect
from dataclasses import dataclass
from functools import cache
from textwrap import shorten
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ganvas.diagnosis.verdicts import Snapshot
from ganvas.errors import InputError
from ganvas.nn.building import within_memory
from ganvas.nn.dilated import keep_exact
from ganvas.recipe import Optimizer, Recipe
from ganvas.recipe.ramp import at
from ganvas.recipe.serialization import difference, to_plain
from ganvas.training.ada import AdaptiveAugmentation
from ganvas.training.phases import check
from ganvas.training.seeding import seed_everything


@dataclass(frozen=True)
class Report:
    """The result of one round."""

    images_seen: int
    """Real images seen after the round."""
    terms: dict[str, Tensor]
    """The loss terms of each player's last update in the round, as detached scalars on the device."""
    waited: float
    """Seconds spent waiting for data since the feed was created."""


class RunController(Protocol):
    """Changes the recipe of a run during training; its state is part of the run's.

    Attributes:
        every: images between snapshots.
        history: all snapshots so far.
    """

    every: int
    history: list[Snapshot]

    def step(self, report: Report) -> bool:
        """Take a snapshot if due, and act on it. Returns whether to end the run."""

    def rescue(self) -> bool:
        """Called after a non-finite loss. Returns whether the run can continue."""

    def end(self) -> None:
        """Called once all of the recipe's images have been seen."""

    def state_dict(self) -> dict[str, Tensor]:
        """The tensors of its state."""

    def notes(self) -> dict[str, Any]:
        """The rest of its state as plain data."""

    def load_state_dict(self, tensors: dict[str, Tensor], notes: dict[str, Any]) -> None:
        """Restore the state from `state_dict` and `notes`."""


class Run:
    """Networks, optimizers, the generator's moving average, and the count of real images seen.

    Attributes:
        g, d: the players, in training mode on `device`.
        ema: the moving average of `g` in evaluation mode, or None if the recipe has none.
        adam_g, adam_d: their optimizers, of whichever kind.
        images_seen: real images seen so far.
        recipe: the current recipe; a controller may have changed it.
        adaptive: the adaptive augmentation, or None if the recipe's probability is fixed.
        controller: applies remedies, or None if the recipe only advises.
    """

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        """Begin a run.

        Raises:
            InputError: the recipe's parts are incompatible, the networks exceed the memory, or that of a reconstruction
                loss is not installed.
        """
        self.recipe = recipe
        self.device = device
        self.images_seen = 0
        self.controller: RunController | None = None
        seed_everything(recipe.seed)
        # CPUs and tensor cores compute convolutions with the channels last; other layouts pay for conversions.
        layout = torch.preserve_format if device.type == "mps" else torch.channels_last
        with within_memory(device):
            self.g: nn.Module = recipe.system.generator().to(device).to(memory_format=layout)  # type: ignore[call-overload]
            self.d: nn.Module = recipe.system.discriminator().to(device).to(memory_format=layout)  # type: ignore[call-overload]
        if device.type == "cpu" and recipe.precision == "bf16":
            keep_exact(self.g)
            keep_exact(self.d)
        check(recipe, self.d)
        for loss in recipe.reconstruction:
            loss.prepare(device)
        augment = recipe.augment
        self.adaptive = AdaptiveAugmentation(at(augment.differentiable, 0), device) if augment.target else None
        self.ema = copy.deepcopy(self.g).eval().requires_grad_(False) if recipe.ema.half_life else None
        self.adam_g = _optimizer(self.g, recipe.adam_g)
        self.adam_d = _optimizer(self.d, recipe.adam_d)

    def autocast(self) -> torch.autocast:
        """The autocast context for the recipe's precision."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16")

    @property
    def sampler(self) -> nn.Module:
        """The generator to sample from: the moving average if there is one."""
        return self.g if self.ema is None else self.ema

    def generate(self, inputs: Tensor) -> Tensor:
        """Samples (N, *shape) from `sampler` in evaluation mode, float32 on the CPU; its state is unchanged."""
        training = self.sampler.training
        self.sampler.eval()
        with torch.no_grad():
            samples = torch.cat([self.sampler(part).float().cpu() for part in torch.split(inputs.to(self.device), 256)])
        self.sampler.train(training)
        return samples

    def update_ema(self) -> None:
        """Update the moving average, including batch statistics."""
        if self.ema is None:
            return
        beta = self.recipe.ema.beta(self.images_seen, self.recipe.batch_size)
        with torch.no_grad():
            averaged, current = self.ema.state_dict(), self.g.state_dict()
            floats = [name for name, value in averaged.items() if value.is_floating_point()]
            torch._foreach_lerp_([averaged[n] for n in floats], [current[n] for n in floats], 1 - beta)
            for name in averaged.keys() - set(floats):
                averaged[name].copy_(current[name])

    def state_dict(self) -> dict[str, Tensor]:
        """All tensors on which the rest of the run depends, by a flat name."""
        steering = {} if self.controller is None else self.controller.state_dict()
        return {**self.players(), **{f"steering.{name}": tensor for name, tensor in steering.items()}}

    def notes(self) -> dict[str, Any]:
        """The rest of the state as plain data."""
        adaptive = {"adaptive": self.adaptive.notes()} if self.adaptive else {}
        return (
            {"images": self.images_seen} | adaptive | ({"steering": self.controller.notes()} if self.controller else {})
        )

    def players(self) -> dict[str, Tensor]:
        """The tensors of the networks and their optimizers."""
        tensors: dict[str, Tensor] = {}
        for name, network in self._networks().items():
            tensors |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
        for name, optimizer in self._optimizers().items():
            for index, parameter in enumerate(_parameters(optimizer)):
                for key, value in optimizer.state.get(parameter, {}).items():
                    tensors[f"{name}.{index}.{key}"] = value
        return tensors

    def start_from(self, weights: dict[str, Tensor], where: str, system: dict[str, Any]) -> None:
        """Initialize the generator and its average with the given weights.

        Args:
            weights: of a generator.
            where: the file they are from, for messages.
            system: the system they belong to, as plain data.

        Raises:
            InputError: the weights do not fit this recipe's generator.
        """
        for network in (self.g, self.ema) if self.ema else (self.g,):
            try:
                network.load_state_dict(weights)
            except RuntimeError as error:
                reason, remedy = self._mismatch(system)
                reason = reason or shorten(str(error), 200)
                raise InputError(
                    f"the weights in {where} do not fit the recipe's generator ({reason}); {remedy}start from a"
                    " model with the same --system settings."
                ) from None

    def _mismatch(self, system: dict[str, Any]) -> tuple[str, str]:
        """How another system's generator differs from this one's, and the flags that would resolve it."""
        free = self.recipe.system.interchangeable
        ours = to_plain(self.recipe.system)
        keys = [key for key in {**system, **ours} if key not in free and not key.startswith("d_")]
        theirs, ours = ({key: one[key] for key in keys if key in one} for one in (system, ours))
        flags = [
            f"--system.{key.replace('_', '-')} {theirs[key]}"
            for key in keys
            if key in theirs and key in ours and theirs[key] != ours[key]
        ]
        remedy = f"use {' '.join(flags)}, or " if flags and theirs["type"] == ours["type"] else ""
        return "; ".join(difference(theirs, ours)), remedy

    def load_state_dict(self, tensors: dict[str, Tensor], notes: dict[str, Any]) -> None:
        """Restore the state from `state_dict` and `notes`.

        Raises:
            InputError: the tensors do not fit this recipe's networks.
        """
        self.load_players(tensors)
        self.images_seen = notes["images"]
        if self.adaptive:
            self.adaptive.load(notes["adaptive"])
        if self.controller is not None:
            prefix = "steering."
            mine = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
            self.controller.load_state_dict(mine, notes["steering"])

    def load_players(self, tensors: dict[str, Tensor]) -> None:
        """Restore the tensors from `players`; the count of images is unchanged.

        Raises:
            InputError: the tensors do not fit this recipe's networks.
        """
        for name, network in self._networks().items():
            mine = {key.removeprefix(f"{name}."): t for key, t in tensors.items() if key.startswith(f"{name}.")}
            try:
                network.load_state_dict(mine)
            except RuntimeError as error:
                raise InputError(
                    f"the checkpoint does not fit the recipe's network {name!r} ({error}); use the recipe of its run."
                ) from None
        for name, optimizer in self._optimizers().items():
            for index, parameter in enumerate(_parameters(optimizer)):
                start = f"{name}.{index}."
                state = {key.removeprefix(start): t for key, t in tensors.items() if key.startswith(start)}
                # A moment needs the memory layout of its parameter: the fused update treats both as flat arrays.
                optimizer.state[parameter] = {
                    key: torch.empty_like(parameter).copy_(t) if t.ndim else t.clone() for key, t in state.items()
                }

    def is_finite(self) -> bool:
        """Whether every weight of both players is finite."""
        weights = [p.detach() for network in (self.g, self.d) for p in network.parameters()]
        # The largest magnitude of a tensor is infinite or NaN if and only if one of its entries is.
        return bool(torch.stack(torch._foreach_norm(weights, float("inf"))).isfinite().all())

    def _networks(self) -> dict[str, nn.Module]:
        networks = {"g": self.g, "d": self.d}
        return networks if self.ema is None else {**networks, "ema": self.ema}

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"adam_g": self.adam_g, "adam_d": self.adam_d}


def _parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _optimizer(network: nn.Module, rule: Optimizer) -> torch.optim.Optimizer:
    kind: Any
    kind, options = rule.torch_kind()
    # The rate is set before every update, since it may be a ramp.
    optimizer: torch.optim.Optimizer = _uncompiled(kind)(network.parameters(), lr=0.0, **options)
    return optimizer


@cache
def _uncompiled(kind: Any) -> Any:
    """An optimizer whose methods do not import torch's compiler, which takes seconds and compiles nothing here."""
    names = "add_param_group", "load_state_dict", "state_dict", "zero_grad", "step"
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in names}
    return type(kind.__name__, (kind,), {**methods, "step": torch.no_grad()(methods["step"])})
