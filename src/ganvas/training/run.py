"""The state of a run: the only thing that changes while training."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from textwrap import shorten
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ganvas.diagnosis.verdicts import Look
from ganvas.errors import InputError
from ganvas.recipe import Adam, Recipe
from ganvas.recipe.ramp import at
from ganvas.recipe.serialization import difference, to_plain
from ganvas.training.ada import Adaptive
from ganvas.training.phases import check
from ganvas.training.seeding import seed_everything


@dataclass(frozen=True)
class Report:
    """What one round did."""

    images_seen: int
    """Real images seen after the round."""
    terms: dict[str, Tensor]
    """Every loss term of the round's last update of each player: detached scalars on the device."""
    waited: float
    """Seconds spent on data since the feed was made."""


class Steers(Protocol):
    """What changes the recipe of a run while it is trained; its state is part of the run's.

    Attributes:
        every: images between looks.
        history: all looks so far.
    """

    every: int
    history: list[Look]

    def step(self, report: Report) -> bool:
        """Look where due, and act. Returns whether the run is to end."""

    def rescue(self) -> bool:
        """After a loss that is no number: whether the run can go on."""

    def end(self) -> None:
        """Called once the recipe's images have been seen."""

    def state_dict(self) -> dict[str, Tensor]:
        """Its tensors."""

    def notes(self) -> dict[str, Any]:
        """The rest of its state, as plain data."""

    def load_state_dict(self, tensors: dict[str, Tensor], notes: dict[str, Any]) -> None:
        """Restore what `state_dict` and `notes` gave."""


class Run:
    """Networks, optimizers, the generator's moving average, and the count of real images seen.

    Attributes:
        g, d: the players, in training mode on `device`.
        ema: the moving average of `g` in evaluation mode, or None where the recipe has none.
        adam_g, adam_d: their optimizers.
        images_seen: real images seen so far.
        recipe: what it is played by; a controller may have changed it on the way.
        adaptive: the augmentation's probability where it adapts, else None.
        controller: what treats the game, or None where the recipe only advises.
    """

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        """Begin a run.

        Raises:
            InputError: the recipe's parts do not fit each other, or a content term's network is not at hand.
        """
        self.recipe = recipe
        self.device = device
        self.images_seen = 0
        self.controller: Steers | None = None
        seed_everything(recipe.seed)
        # Channels last is the layout the convolutions of CPUs and tensor cores work in; others pay for conversions.
        layout = torch.preserve_format if device.type == "mps" else torch.channels_last
        self.g: nn.Module = recipe.system.generator().to(device).to(memory_format=layout)  # type: ignore[call-overload]
        self.d: nn.Module = recipe.system.discriminator().to(device).to(memory_format=layout)  # type: ignore[call-overload]
        check(recipe, self.d)
        for loss in recipe.reconstruction:
            loss.prepare(device)
        augment = recipe.augment
        self.adaptive = Adaptive(at(augment.differentiable, 0), device) if augment.target else None
        self.ema = copy.deepcopy(self.g).eval().requires_grad_(False) if recipe.ema.half_life else None
        self.adam_g = _optimizer(self.g, recipe.adam_g)
        self.adam_d = _optimizer(self.d, recipe.adam_d)

    def autocast(self) -> torch.autocast:
        """The arithmetic of the recipe for what the networks compute inside."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16")

    @property
    def sampler(self) -> nn.Module:
        """The generator to look at: the moving average where there is one."""
        return self.g if self.ema is None else self.ema

    def generate(self, inputs: Tensor) -> Tensor:
        """What `sampler` makes (N, *shape) in evaluation mode, float32 on the CPU, leaving no trace in it."""
        training = self.sampler.training
        self.sampler.eval()
        with torch.no_grad():
            made = torch.cat([self.sampler(part).float().cpu() for part in torch.split(inputs.to(self.device), 256)])
        self.sampler.train(training)
        return made

    def update_ema(self) -> None:
        """Move the average towards the generator, batch statistics included."""
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
        """Every tensor that the future of the run depends on, by a flat name."""
        steering = {} if self.controller is None else self.controller.state_dict()
        return {**self.players(), **{f"steering.{name}": tensor for name, tensor in steering.items()}}

    def notes(self) -> dict[str, Any]:
        """What the future depends on besides tensors, as plain data."""
        adapting = {"adaptive": self.adaptive.notes()} if self.adaptive else {}
        return (
            {"images": self.images_seen} | adapting | ({"steering": self.controller.notes()} if self.controller else {})
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

    def begin_at(self, weights: dict[str, Tensor], where: str, system: dict[str, Any]) -> None:
        """Give the generator, and its average, these weights, which are of that system as plain data.

        Raises:
            InputError: they are not those of this recipe's generator.
        """
        for network in (self.g, self.ema) if self.ema else (self.g,):
            try:
                network.load_state_dict(weights)
            except RuntimeError as error:
                reason, remedy = self._unlike(system)
                reason = reason or shorten(str(error), 200)
                raise InputError(
                    f"the weights in {where} do not fit the recipe's generator ({reason}); {remedy}give --start a model"
                    " of the same --system settings."
                ) from None

    def _unlike(self, system: dict[str, Any]) -> tuple[str, str]:
        """By what another system's generator is not this one's, and the flags that make this one so."""
        free = self.recipe.system.interchangeable
        ours = to_plain(self.recipe.system)
        keys = [key for key in {**system, **ours} if key not in free and not key.startswith("d_")]
        theirs, ours = ({key: one[key] for key in keys if key in one} for one in (system, ours))
        flags = [
            f"--system.{key.replace('_', '-')} {theirs[key]}"
            for key in keys
            if key in theirs and key in ours and theirs[key] != ours[key]
        ]
        remedy = f"give {' '.join(flags)}, or " if flags and theirs["type"] == ours["type"] else ""
        return "; ".join(difference(theirs, ours)), remedy

    def load_state_dict(self, tensors: dict[str, Tensor], notes: dict[str, Any]) -> None:
        """Restore what `state_dict` and `notes` gave.

        Raises:
            InputError: the tensors are not those of this recipe's networks.
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
        """Restore what `players` gave; the count of images stays.

        Raises:
            InputError: the tensors are not those of this recipe's networks.
        """
        for name, network in self._networks().items():
            mine = {key.removeprefix(f"{name}."): t for key, t in tensors.items() if key.startswith(f"{name}.")}
            try:
                network.load_state_dict(mine)
            except RuntimeError as error:
                raise InputError(f"the checkpoint does not fit the recipe's network {name!r}: {error}") from None
        for name, optimizer in self._optimizers().items():
            for index, parameter in enumerate(_parameters(optimizer)):
                start = f"{name}.{index}."
                state = {key.removeprefix(start): t for key, t in tensors.items() if key.startswith(start)}
                # A moment must lie in memory as its parameter does: the fused update walks both as one array.
                optimizer.state[parameter] = {
                    key: torch.empty_like(parameter).copy_(t) if t.ndim else t.clone() for key, t in state.items()
                }

    def is_finite(self) -> bool:
        """Whether every weight of both players is a number."""
        weights = [p.detach() for network in (self.g, self.d) for p in network.parameters()]
        # The largest magnitude of a tensor is infinite or NaN exactly when one of its entries is.
        return bool(torch.stack(torch._foreach_norm(weights, float("inf"))).isfinite().all())

    def _networks(self) -> dict[str, nn.Module]:
        networks = {"g": self.g, "d": self.d}
        return networks if self.ema is None else {**networks, "ema": self.ema}

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"adam_g": self.adam_g, "adam_d": self.adam_d}


def _parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _optimizer(network: nn.Module, adam: Adam) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW if adam.decoupled else torch.optim.Adam
    # The rate is set before every update, since it may be a ramp. Fused: one pass over the memory, not a dozen.
    return kind(network.parameters(), lr=0.0, weight_decay=adam.weight_decay, fused=True)
