from __future__ import annotations

from pathlib import Path

import torch

from ganvas import Host, train
from ganvas.runs import checkpoint
from tests.conftest import tiny


def test_the_same_weights_are_the_same_bytes() -> None:
    path, found, bare = Path("m.safetensors"), set(), set()
    about = {"system": {"type": "réseau"}, "images": 8}
    for _ in range(12):
        checkpoint.save(path, {"g.é\n": torch.arange(3.0), "d.x": torch.zeros(2, 1)}, about)
        found.add(path.read_bytes())
        checkpoint.write_tensors(path, {"x": torch.zeros(2)}, {name: name for name in "scale"})
        bare.add(path.read_bytes())
        path.write_bytes(max(found))
    assert len(found) == len(bare) == 1
    tensors, read = checkpoint.load(path)
    assert tensors["g.é\n"].tolist() == [0.0, 1.0, 2.0]
    assert read == {**read, **about}


def test_the_same_training_is_the_same_bytes() -> None:
    first, second = (train(tiny(images=32), name="r", host=Host(runs=runs)).folder.model for runs in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
