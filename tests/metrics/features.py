"""Features that look like a network's, and the reference implementation."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

Rows = np.ndarray


def gaussian(count: int, features: int, seed: int = 0, shift: float = 0.0, scale: float = 1.0) -> Rows:
    """Correlated, not centred, float32 (count, features)."""
    mix = np.random.default_rng(99).standard_normal((features, features)) / features**0.5
    rows = np.random.default_rng(seed).standard_normal((count, features)) @ mix
    return (scale * rows + 1 + shift).astype(np.float32)


def reference(module: str) -> ModuleType:
    """A module of torch-fidelity."""
    from ganvas.inference.importers._torchvision import make_importable

    make_importable()  # makes torchvision importable beside any build of torch
    pytest.importorskip("torch_fidelity", reason="torch-fidelity, the reference, comes with the extra dev")
    import importlib

    return importlib.import_module(f"torch_fidelity.{module}")
