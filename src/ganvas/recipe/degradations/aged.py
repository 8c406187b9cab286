"""Photographs that have lived: the degradation that repair learns to undo."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from ganvas.errors import InputError
from ganvas.recipe.degradations.base import Degradation, expect_between, expect_share

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ganvas.imaging.draws import Draws

VISIBLE = 6 / 255  # the least change of a pixel that counts as a stain
MARKED = 16 / 255  # as a scratch: what is filled is thrown away first, so fainter marks are better restored


@dataclass(frozen=True, kw_only=True)
class Aged(Degradation):
    """The life of a photograph: lens and film, a print that fades, damage to its surface, and a scan.

    Each field is the strongest that its defect gets; 0 (jpeg: 100) switches it off. An image draws one severity for
    all, and a part of it for each defect, so that most are weak and some images are far gone.
    """

    absent: float = 1 / 3
    """Share of the images without a given defect, for each apart."""
    untouched: float = 0.1
    """Share of the images without any defect, which is a part of `absent`."""
    grey: float = 0.15
    """Share of the images that are black and white."""
    blur: float = 2.0
    """Standard deviation of the lens's and the hand's blur in pixels, along its longer axis."""
    grain: float = 20.0
    """Standard deviation of film grain in mid-tones, on the scale 0..255."""
    fade: float = 0.8
    """Contrast lost: at 1 half, with another curve for each colour."""
    dyes: float = 0.8
    """Share of the density that the least stable dye loses; prints turn red, some green or blue."""
    sepia: float = 1.0
    """Share of the way to sepia."""
    yellow: float = 0.8
    """How yellow paper and binder are."""
    vignette: float = 0.6
    """Share of the light that is missing in the corners."""
    light: float = 0.2
    """Deviation of uneven light."""
    halftone: float = 0.3
    """Contrast of a printer's dots or of textured paper."""
    creases: float = 2.0
    """Folds across the image, with broken emulsion and shade on both sides; at most 3."""
    stains: float = 0.7
    """Opacity of stains."""
    scratches: float = 20.0
    """Scratches for every 256 x 256 pixels."""
    fibres: float = 8.0
    """Hairs and lint for every 256 x 256 pixels."""
    dust: float = 120.0
    """Specks for every 256 x 256 pixels."""
    corners: float = 0.4
    """How far a missing corner reaches, as a share of the shorter side."""
    tears: float = 0.5
    """How far a tear reaches from the border, as a share of the shorter side."""
    scan_blur: float = 1.0
    """Standard deviation of the scanner's blur, in pixels of the scan."""
    scan_noise: float = 10.0
    """Standard deviation of the scanner's noise, on the scale 0..255."""
    jpeg: float = 40.0
    """Lowest JPEG quality of the scan; 100 disables compression."""

    usual_scale: ClassVar[int] = 1
    names: ClassVar[tuple[str, ...]] = ("hole", "scratch", "stain", "strengths")
    DEFECTS: ClassVar[tuple[str, ...]] = (
        "blur", "grain", "fade", "dyes", "sepia", "yellow", "vignette", "light", "halftone", "creases", "stains",
        "scratches", "fibres", "dust", "corners", "tears", "scan_blur", "scan_noise", "jpeg",
    )  # fmt: skip
    """The names of the columns of `strengths`, in order."""

    def __post_init__(self) -> None:
        for name in ("absent", "untouched", "grey", "fade", "dyes", "sepia", "yellow", "vignette", "light", "halftone"):
            expect_share(name, getattr(self, name))
        for name in ("stains", "corners", "tears"):
            expect_share(name, getattr(self, name))
        if self.untouched > self.absent:
            raise InputError(
                f"--data.degradation has untouched {self.untouched:g} and absent {self.absent:.3g}; images without any"
                " defect lack each, so lower untouched, or raise absent."
            )
        for name, high in (("blur", 8), ("grain", 255), ("creases", 3), ("scratches", 1000), ("fibres", 1000)):
            expect_between(name, getattr(self, name), 0, high)
        for name, high in (("dust", 5000), ("scan_blur", 5), ("scan_noise", 255)):
            expect_between(name, getattr(self, name), 0, high)
        expect_between("jpeg", self.jpeg, 1, 100)

    def always(self) -> Self:
        """See `Degradation.always`."""
        return replace(self, untouched=0.0)

    def apply(self, target: Tensor, scale: int, random: torch.Generator) -> dict[str, Tensor]:
        """Age images; at a scale above 1 the scan is so much smaller than the target.

        Returns:
            `input`, uint8 (B, C, H / scale, W / scale); the masks `hole`, `scratch` (with dust, fibres and broken
            creases) and `stain` (with the shade of creases), float32 (B, 1, H / scale, W / scale), 1 where the surface
            has visibly changed and 0 elsewhere, a hole being nothing else; and `strengths`, float32 (B, 19): of each of
            `DEFECTS`, 0 where it is absent and 1 at the strongest of the default values, whatever the fields are.
        """
        import torch
        from torch.nn import functional

        from ganvas.imaging import prints
        from ganvas.imaging.draws import Draws, where_any
        from ganvas.imaging.tensors import area, eight_bit

        draws = Draws(random, target.device)
        amounts, strengths = self._amounts(draws, len(target))
        images = target.float() / 255
        grey = draws.chance(self.grey, len(target)).to(images.device).view(-1, 1, 1, 1)
        images = torch.where(grey, prints.luma(images), images)
        for change, name in (
            (_shaken, "blur"),
            (prints.grained, "grain"),
            (prints.faded, "fade"),
            (prints.bleached, "dyes"),
            (prints.toned, "sepia"),
            (prints.yellowed, "yellow"),
            (prints.vignetted, "vignette"),
            (prints.unevenly_lit, "light"),
            (prints.screened, "halftone"),
        ):
            images = where_any(change, images, amounts[name], draws)
        images, masks = _damaged(images.clamp(0, 1), amounts, draws)
        if scale > 1:
            images = area(images, scale)
            masks = {name: functional.max_pool2d(mask, scale) for name, mask in masks.items()}
        masks = {name: mask if name == "hole" else mask * (1 - masks["hole"]) for name, mask in masks.items()}
        images = _scanned(images * 255, amounts, draws)
        return {"input": eight_bit(images), **masks, "strengths": strengths.to(target.device)}

    def _amounts(self, draws: Draws, count: int) -> tuple[dict[str, Tensor], Tensor]:
        """What each image gets of each defect, in the units of the fields, and the same as strengths."""
        import torch

        kinds = len(self.DEFECTS)
        most, usual = (
            torch.tensor([100 - value if name == "jpeg" else value for name, value in values])
            for values in (
                [(name, float(getattr(self, name))) for name in self.DEFECTS],
                [(name, float(getattr(Aged, name))) for name in self.DEFECTS],
            )
        )
        others = (self.absent - self.untouched) / (1 - self.untouched) if self.untouched < 1 else 1.0
        there = draws.chance(1 - others, count, kinds) & draws.chance(1 - self.untouched, count, 1)
        share = draws.uniform(count, 1, low=0.2) * draws.uniform(count, kinds, low=0.1)
        # Few prints have a screen that shows.
        share[:, self.DEFECTS.index("halftone")] **= 3
        amounts = share * there * most
        return dict(zip(self.DEFECTS, amounts.unbind(1), strict=True)), amounts / usual


def _shaken(images: Tensor, sigma: Tensor, draws: Draws) -> Tensor:
    """Blur by a Gaussian of `sigma` along one axis, and of no more along the other."""
    import math

    import torch

    from ganvas.imaging.kernels import RADIUS, bells, filtered

    count = len(images)
    widths = torch.stack([sigma, sigma * draws.uniform(count, low=0.3)], 1)
    angle, gaussian = math.pi * draws.uniform(count), torch.ones(count)
    return filtered(images, bells(widths, angle, gaussian, gaussian < 1, gaussian * RADIUS))


def _damaged(images: Tensor, amounts: dict[str, Tensor], draws: Draws) -> tuple[Tensor, dict[str, Tensor]]:
    """Images from 0 to 1 with the damage of their surface, and its masks."""
    from ganvas.imaging import marks, surface
    from ganvas.imaging.draws import where_any

    count, channels, height, width = images.shape
    parts = height * width / 256**2
    creased, cracks = surface.creased(images, amounts["creases"], draws)
    stained = where_any(surface.stained, creased, amounts["stains"], draws).clamp(0, 1)
    curves = [
        kind(marks.counted(amounts[name] * parts, draws), height, width, draws)
        for kind, name in ((marks.scratches, "scratches"), (marks.fibres, "fibres"), (marks.dust, "dust"))
    ]
    bright, dark = marks.drawn([cracks, *curves], count, height, width, draws)
    paper = draws.uniform(count, 1, low=0.8) * draws.uniform(count, 3, low=0.92)
    dirt = draws.uniform(count, 1, high=0.25) * draws.uniform(count, 3, low=0.6)
    paper, dirt = (one[:, :channels].to(images.device).view(count, channels, 1, 1) for one in (paper, dirt))
    scratched = stained.lerp(dirt.expand_as(stained), dark).lerp(paper.expand_as(stained), bright)
    found, lost = surface.torn(scratched, amounts["corners"], amounts["tears"], draws)

    def changed(before: Tensor, after: Tensor, least: float) -> Tensor:
        return ((after - before).abs().amax(1, keepdim=True) > least).float()

    masks = {"scratch": changed(stained, scratched, MARKED), "stain": changed(images, stained, VISIBLE)}
    return found, {"hole": (lost > 0.05).float(), **masks}


def _scanned(images: Tensor, amounts: dict[str, Tensor], draws: Draws) -> Tensor:
    """Blur, noise and JPEG of a scanner; images from 0 to 255."""
    from ganvas.imaging.compression import compressed
    from ganvas.imaging.draws import where_any
    from ganvas.imaging.tensors import blurred

    def soft(images: Tensor, sigma: Tensor, draws: Draws) -> Tensor:
        return blurred(images, sigma.to(images.device))

    def noisy(images: Tensor, sigma: Tensor, draws: Draws) -> Tensor:
        noise = draws.normal(*images.shape)
        grey, level = draws.chance(0.4, len(images)), sigma
        grey, level = (one.to(images.device).view(-1, 1, 1, 1) for one in (grey, level))
        return images + level * noise[:, :1].where(grey, noise)

    def jpeg(images: Tensor, loss: Tensor, draws: Draws) -> Tensor:
        phase, subsampled = draws.whole(16, len(images), 2), draws.chance(0.5, len(images))
        return compressed(images.clamp(0, 255), 100 - loss, phase=phase, subsampled=subsampled)

    for change, name in ((soft, "scan_blur"), (noisy, "scan_noise"), (jpeg, "jpeg")):
        images = where_any(change, images, amounts[name], draws)
    return images
