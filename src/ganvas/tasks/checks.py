"""Whether a recipe fits its modality; its own numbers the recipe has checked itself."""

from __future__ import annotations

from ganvas.errors import InputError, listed
from ganvas.recipe import Recipe
from ganvas.recipe.ramp import ends
from ganvas.recipe.sources import Cropped, Crops, Mixture2D, Pairs
from ganvas.recipe.text import TextSource


def check_images(recipe: Recipe) -> None:
    """Refuse what does not go with images from noise.

    Raises:
        InputError: the data are others, or there is a reconstruction loss.
    """
    _expect_no_originals(recipe)
    if isinstance(recipe.data, Mixture2D | TextSource):  # any other source may be one of images
        raise InputError(
            f"{_name(recipe)} makes images, and the data are {_data(recipe)}; give it Images, or take another recipe."
        )


def check_restoration(recipe: Recipe) -> None:
    """Refuse what does not go with images made from worse ones.

    Raises:
        InputError: the data are others, a setting is for games that begin at noise, or a reconstruction loss needs what
            neither the system nor the degradation has.
    """
    if not isinstance(recipe.data, Cropped):
        raise InputError(
            f"{_name(recipe)} learns from crops of photos, and the data are {_data(recipe)}; give it Crops or Pairs."
        )
    scale = getattr(recipe.system, "scale", 1)
    if isinstance(recipe.data, Pairs) and recipe.data.scale != scale:
        wanted = f"that are {scale} times as large, and --data.scale {scale}" if scale > 1 else "of one size"
        raise InputError(
            f"{_name(recipe)} enlarges by {scale}, and the pictures after are --data.scale {recipe.data.scale} times as"
            f" large as those before; give pairs {wanted}."
        )
    if recipe.augment.flip:
        raise InputError("--augment.flip is for whole images; crops are turned and mirrored by --data.turn.")
    if recipe.steering.mode == "treat":
        raise InputError(f"--steering treat is for games that begin at noise; leave it out for {_name(recipe)}.")
    augment, mixing = recipe.augment, ("colour", "tone")
    changed = augment.target or any(ends(augment.differentiable))
    if changed and recipe.system.judged_shape != recipe.system.shape and not set(mixing).isdisjoint(augment.policy):
        raise InputError(
            f"--augment.policy {' '.join(augment.policy)} changes the colours of one image, and {_name(recipe)}'s"
            " discriminator sees two at once; use --augment.policy shift cut."
        )
    rule = recipe.data.rule
    for loss in recipe.reconstruction:
        if loss.of not in ("fake", *recipe.system.makes):
            raise InputError(
                f"the reconstruction loss {type(loss).__name__} compares {loss.of}, which {_name(recipe)}"
                " does not make; leave it out."
            )
        lacking = [name for name in loss.needs if name not in (*recipe.system.makes, *rule.names)]
        if lacking:
            source = f"--data.degradation {type(rule).__name__}" if isinstance(recipe.data, Crops) else _data(recipe)
            raise InputError(
                f"the reconstruction loss {type(loss).__name__} needs {listed(lacking)}, which neither"
                f" {_name(recipe)} makes nor {source} gives; leave it out, or take the recipe repair and the"
                " degradation Aged."
            )


def check_toy2d(recipe: Recipe) -> None:
    """Refuse what does not go with 2-D points.

    Raises:
        InputError: the data are others, there is a reconstruction loss, or the augmentation changes images.
    """
    _expect_no_originals(recipe)
    if not isinstance(recipe.data, Mixture2D):
        raise InputError(
            f"{_name(recipe)} makes 2-D points, and the data are {_data(recipe)}; give it Mixture2D, or take"
            " another recipe."
        )
    augment = recipe.augment
    if augment.flip or augment.target or any(ends(augment.differentiable)):
        raise InputError(
            "--augment.flip, --augment.differentiable and --augment.target change images, and the data are points;"
            " leave them out."
        )


def _expect_no_originals(recipe: Recipe) -> None:
    if recipe.reconstruction or isinstance(recipe.data, Cropped):
        raise InputError(
            f"{_name(recipe)} makes samples from noise, which have no original to be compared with; reconstruction"
            " losses and crops go with a system for super-resolution, such as srgan."
        )


def _name(recipe: Recipe) -> str:
    return type(recipe.system).__name__


def _data(recipe: Recipe) -> str:
    return type(recipe.data).__name__
