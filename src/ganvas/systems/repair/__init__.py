"""Repair of old photographs: find the damage, undo what has become of tone and colours, restore, and fill what is lost.

Paper: Wan et al. 2020, Bringing Old Photos Back to Life, arXiv:2004.09484

The task is theirs and the networks are not: gated convolutions fill (Yu et al. 2019, arXiv:1806.03589), curves and a
colour matrix correct tone, and everything is composited, so that a photograph without damage comes back as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, final

from ganvas.errors import InputError
from ganvas.recipe import EMA, Adam, Recipe, Schedule
from ganvas.recipe.damage import MASKS, Dice, Filled, Focal, Strengths, Tone, masks_of
from ganvas.recipe.degradations import Aged
from ganvas.recipe.objectives import Hinge
from ganvas.recipe.penalties import R1
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.reconstruction import Perceptual
from ganvas.recipe.sources import Crops
from ganvas.recipe.system import Translation

if TYPE_CHECKING:
    from typing import Self

    from torch import Tensor, nn

    from ganvas.recipe.batch import Batch


@final
@dataclass(frozen=True, kw_only=True)
class PhotoRepair(Translation):
    """A damage network, a tone head and a restorer against a critic of patches."""

    task = "repair"
    makes: ClassVar[tuple[str, ...]] = ("damage", "toned", "estimates")
    interchangeable: ClassVar[tuple[str, ...]] = ("size", "learns", "told")
    restores: ClassVar[bool] = True
    scale: Literal[1] = 1
    """Upscaling factor of each side; repair does not enlarge."""
    size: int = 128
    """Side of the crops trained on, in pixels; images of any size can be repaired."""
    channels: int = 3
    """1 for grey, 3 for RGB."""
    width: int = 47
    """Channels of the restorer's first layer; grows to four times as many. One below a multiple of 8 is fastest."""
    damage_width: int = 15
    """Channels of the damage network's first layer; grows to four times as many."""
    tone_width: int = 32
    """Channels of the tone head's first layer; grows to four times as many."""
    d_width: int = 32
    """Channels of the critic's first layer; grows to eight times as many."""
    learns: Literal["all", "inspection", "tone"] = "all"
    """What is trained: all; or, at several times the speed, what inspects the photograph (damage, strengths and tone),
    or its tone alone. The whole then goes on from that by --start."""
    told: float = 0.5
    """Share of a batch whose damage the restorer is told; the rest it repairs with what the damage network finds."""

    def __post_init__(self) -> None:
        if self.size % 8 or self.size < 24:
            raise InputError(f"--system.size {self.size} must be a multiple of 8 and at least 24, such as 128.")
        widths = {name: getattr(self, name) for name in ("width", "damage_width", "tone_width", "d_width")}
        for name, value in widths.items():
            if value < 1:
                raise InputError(f"--system.{name.replace('_', '-')} {value} must be at least 1.")
        if self.channels not in (1, 3):
            raise InputError(f"--system.channels {self.channels} must be 1 (grey) or 3 (RGB).")
        if self.scale != 1:
            raise InputError(f"--system.scale {self.scale} must be 1: repair does not enlarge; ganvas upscale does.")
        if not 0 <= self.told <= 1:
            raise InputError(f"--system.told {self.told:g} must be a share from 0 (none) to 1 (all).")

    def tiny(self) -> Self:
        """Narrow, on crops of 32 px."""
        return replace(self, size=32, width=4, damage_width=4, tone_width=4, d_width=2)

    def generator(self) -> nn.Module:
        """(B, channels, H, W) in [-1, 1], as found -> the same, repaired; see `networks.Repair` for its parts."""
        from ganvas.systems.repair.networks import Repair

        return Repair(
            channels=self.channels,
            defects=len(Aged.DEFECTS),
            width=self.width,
            damage_width=self.damage_width,
            tone_width=self.tone_width,
        )

    def discriminator(self) -> nn.Module:
        """(B, channels, H, W), sides of at least 24 -> logits (B, H / 8 - 2, W / 8 - 2)"""
        from ganvas.nn.critic import PatchCritic

        return PatchCritic(channels=self.channels, width=self.d_width)

    def fake(self, g: nn.Module, batch: Batch) -> Tensor:
        """The batch's inputs, repaired."""
        return self.outputs(g, batch)["fake"]

    def outputs(self, g: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """`fake`; the logits `damage` (B, 3, H, W), the image `toned`, and the `estimates` of strengths in 0..1.

        The restorer is told the damage and the strengths of the first images, if the degradation gives them.
        """
        from ganvas.systems.repair.networks import Repair, doubted

        assert isinstance(g, Repair)
        image = batch["input"]
        if self.learns == "tone":
            masks = masks_of(batch, MASKS)
            toned = g.toned(image, masks).toned
            return {"fake": toned, "damage": masks * 2 - 1, "toned": toned, "estimates": batch["strengths"]}
        damage, estimates = g.inspect(image)
        # Which pixels are damaged is learned from the masks, and not from how well they were repaired.
        strengths = estimates.detach().clone()
        masks = (doubted(damage.detach(), strengths) > 0).float()
        if set(Aged.names) <= batch.names:
            told = round(self.told * len(batch))
            masks[:told], strengths[:told] = masks_of(batch, MASKS)[:told], batch["strengths"][:told]
        made = g.toned(image, masks) if self.learns == "inspection" else g.repair(image, masks, strengths)
        return {"fake": made.image, "damage": damage, "toned": made.toned, "estimates": estimates}


def repair() -> Recipe:
    """Old photographs: scratches, tears, stains, fading and scan; DIV2K or your own photos, for a GPU"""
    images = 400_000
    return Recipe(
        system=PhotoRepair(),
        data=Crops(source="div2k", degradation=Aged()),
        objective=Hinge(),
        penalties=(R1(gamma=0.01, every=16),),
        reconstruction=(
            Filled(),
            Focal(),
            Dice(),
            Tone(),
            Strengths(),
            Perceptual(weight=0.01, extractor="efficientnet-lite0", layer=(2, 2), loss="l1", when="both"),
        ),
        adversarial=0.01,
        schedule=Schedule(pretrain=images * 7 // 10),
        adam_g=Adam(lr=Ramp(5e-4, 1e-5, images, "cosine"), beta1=0.9),
        adam_d=Adam(lr=1e-4, beta1=0.5),
        ema=EMA(half_life=4_000),
        batch_size=16,
        images=images,
    )
