"""torchvision, which spandrel imports, made importable beside any build of torch."""

from __future__ import annotations

import torch


def make_importable() -> None:
    """Import torchvision, if need be without its compiled operators."""
    try:
        import torchvision
    except RuntimeError as error:
        # On Linux, PyPI has torchvision for CUDA only. With a CPU build of torch its compiled operators do not load,
        # and the import fails where it describes two of them, which no network here needs.
        if "operator torchvision::" not in str(error):
            raise
        for name in ("nms", "qnms"):
            _OPERATORS.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
        import torchvision  # noqa: F401


_OPERATORS = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
