"""Samples that are in memory: arrays, tensors, and what a network or a predictor makes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ganvas.data import Dataset
from ganvas.errors import InputError
from ganvas.imaging.tensors import to_pixels
from ganvas.inference.base import Predictor
from ganvas.nn.device import on_device
from ganvas.recipe.noise import noise

BATCH = 64

Array = NDArray[Any] | Tensor
Sampled = Array | nn.Module | Predictor
Latent = int | tuple[int, ...]


def images_of(array: Array) -> NDArray[np.uint8]:
    """Images in memory as uint8 (N, H, W, C).

    Args:
        array: a tensor (N, C, H, W), of floats in [-1, 1] as generators output them or of uint8; or a NumPy array
            (N, H, W) or (N, H, W, C), of floats in [0, 1] or of uint8. C is 1 or 3.

    Raises:
        InputError: the shape, type or range is another.
    """
    shape, kind = tuple(array.shape), str(array.dtype)
    if isinstance(array, Tensor):
        low, wanted = -1.0, "a tensor (N, C, H, W) of floats in [-1, 1] or of uint8"
        pixels = array.detach().cpu().permute(0, 2, 3, 1).float().numpy() if array.ndim == 4 else None
    else:
        low, wanted = 0.0, "an array (N, H, W, C) of floats in [0, 1] or of uint8"
        pixels = array[..., None] if array.ndim == 3 else array if array.ndim == 4 else None
    is_bytes, is_float = kind.endswith("uint8"), "float" in kind
    if pixels is None or pixels.shape[-1] not in (1, 3) or not pixels.size or not (is_bytes or is_float):
        raise InputError(f"images of shape {shape} and type {kind} cannot be measured; give {wanted}, with C 1 or 3.")
    if pixels.shape[1] != pixels.shape[2]:
        height, width = pixels.shape[1:3]
        raise InputError(f"images of {width} x {height} pixels cannot be measured; give square ones.")
    if is_bytes:
        return np.ascontiguousarray(pixels, np.uint8)
    least, most = float(pixels.min()), float(pixels.max())
    if not (low - 1e-3 <= least and most <= 1 + 1e-3):
        raise InputError(f"the images' values lie in {least:.3g}..{most:.3g}; give {wanted}.")
    if low == 0:
        return np.clip(pixels * 255 + 0.5, 0, 255).astype(np.uint8)
    made: NDArray[np.uint8] = to_pixels(torch.as_tensor(pixels).permute(0, 3, 1, 2))
    return made


def dataset_of(array: Array) -> Dataset:
    """Images in memory as a dataset, of which none are held out."""
    images = images_of(array)
    return Dataset(images, fingerprint=hashlib.sha256(images.tobytes()).hexdigest(), name="array")


def sampler_of(source: Sampled, latent: Latent, seed: int, device: str) -> tuple[str, Callable[[int], NDArray[Any]]]:
    """The name of a source in memory, and a function that gives `n` of its samples, or all if there are fewer.

    Args:
        latent: shape of the noise of one sample, for a network; 0 reads its attribute `latent`.

    Raises:
        InputError: it is none; or the function raises it, if the samples are not images.
    """
    if isinstance(source, Predictor):
        if not source.about.channels or source.about.inputs != "noise":
            raise InputError(f"{source.name} {source.does}; give the folder of its run instead.")
        return source.name, lambda n: source.sample(n, seed)
    if isinstance(source, nn.Module):
        return type(source).__name__, lambda n: _generated(source, latent, n, seed, device)
    if isinstance(source, np.ndarray | Tensor):
        images = images_of(source)
        return "array", lambda n: images[choose(len(images), n, seed)]
    raise InputError(
        f"{source!r:.80} is of type {type(source).__name__}; give a run's folder, images as files or an array, a"
        " predictor of ganvas.open, or a network."
    )


def choose(total: int, most: int, seed: int) -> NDArray[np.int64]:
    """At most so many different numbers below `total`, in their order, the same for the same seed."""
    return np.sort(np.random.default_rng(seed).choice(total, min(most, total), replace=False))


def _generated(network: nn.Module, latent: Latent, n: int, seed: int, device: str) -> NDArray[np.uint8]:
    latent = latent or getattr(network, "latent", 0)
    shape = (latent,) if isinstance(latent, int) else tuple(latent)
    if not shape or min(shape) < 1:
        raise InputError(
            f"the length of the noise that {type(network).__name__} takes is not known; give it, as in latent=100 for"
            " (N, 100), or latent=(100, 1, 1)."
        )
    z = torch.from_numpy(noise(n, int(np.prod(shape)), seed)).view(n, *shape)
    training = network.training
    on_device(network, device).eval()
    try:
        with torch.no_grad():
            parts = [network(part.to(device)) for part in torch.split(z, BATCH)]
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{type(network).__name__} cannot use noise of shape {(n, *shape)} ({reason}); give another latent."
        ) from None
    finally:
        network.train(training)
    if not all(isinstance(part, Tensor) for part in parts):
        raise InputError(f"{type(network).__name__} returns no tensor; give a network that returns (N, C, H, W).")
    return images_of(torch.cat(parts).float().clamp(-1, 1))  # not every generator ends with Tanh
