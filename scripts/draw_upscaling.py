"""Draw crops upscaled 4 x by each model, beside the original: python scripts/draw_upscaling.py OUT.png

The images are scikit-image's bundled cat (CC0) and astronaut (NASA, public domain) and scikit-learn's two sample
photographs (CC BY). They are shrunk by MATLAB's bicubic, then upscaled; nothing was trained on them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from skimage import data
from sklearn.datasets import load_sample_image

import ganvas
from ganvas.imaging.grid import Pixels
from ganvas.imaging.saving import save_png
from ganvas.imaging.tensors import bicubic
from ganvas.metrics.distortion import luma, psnr

SIDE, GAP, HEAD = 240, 6, 26
CROPS = (
    (data.chelsea, (60, 110)),
    (data.astronaut, (40, 140)),
    (lambda: load_sample_image("china.jpg"), (150, 240)),
    (lambda: load_sample_image("flower.jpg"), (90, 200)),
)
LABELS = ("bicubic", "SRResNet", "SRGAN", "original")


def resized(pixels: Pixels, scale: float) -> Pixels:
    """uint8 (H, W, 3) by MATLAB's bicubic."""
    planes = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)
    return bicubic(planes, scale).permute(1, 2, 0).numpy()


def main() -> None:
    """Write the image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    models = [ganvas.open(name) for name in ("srresnet-x4", "srgan-x4")]
    width = len(LABELS) * (SIDE + GAP) + GAP
    canvas = Image.new("RGB", (width, HEAD + len(CROPS) * (SIDE + GAP + 16) + GAP), "white")
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(14)
    for column, label in enumerate(LABELS):
        pen.text((GAP + column * (SIDE + GAP), 5), label, "black", font)
    for row, (read, (top, left)) in enumerate(CROPS):
        whole = read()
        whole = whole[: whole.shape[0] // 4 * 4, : whole.shape[1] // 4 * 4]
        low = resized(whole, 0.25)
        made = [resized(low, 4), *(model.upscale(low) for model in models), whole]
        for column, pixels in enumerate(made):
            cut = Image.fromarray(np.ascontiguousarray(pixels[top : top + SIDE, left : left + SIDE]))
            corner = (GAP + column * (SIDE + GAP), HEAD + row * (SIDE + GAP + 16))
            canvas.paste(cut, corner)
            if column < 3:
                score = psnr(luma(pixels), luma(whole), crop=4)
                pen.text((corner[0], corner[1] + SIDE + 1), f"{score:.2f} dB (whole image)", "gray", font)
    save_png(np.asarray(canvas), out)


if __name__ == "__main__":
    main()
