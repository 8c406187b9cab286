"""torchvision's dataset readers, importable with any build of torch."""

from __future__ import annotations

from typing import Any

import torch


def datasets() -> Any:
    """The module torchvision.datasets."""
    try:
        import torchvision.datasets as module
    except RuntimeError as error:
        # On Linux, PyPI has torchvision for CUDA only. With a CPU build of torch its compiled operators do not load,
        # and the import fails where it describes two of them. The readers need none of them.
        if "operator torchvision::" not in str(error):
            raise
        for name in ("nms", "qnms"):
            _OPERATORS.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
        import torchvision.datasets as module
    return module


_OPERATORS = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
