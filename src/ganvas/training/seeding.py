"""Randomness as a function of the position in the run, never of its history.

Before every update torch's global generators are seeded from (recipe's seed, images seen, update). Hence a resumed run
equals an uninterrupted one, and random numbers drawn in between do no harm.
"""

from __future__ import annotations

import hashlib
import struct

import torch


def seed_everything(seed: int, *position: int) -> None:
    """Seed torch's generators on all devices from a seed and any number of position counters."""
    digest = hashlib.blake2b(struct.pack(f"<{1 + len(position)}q", seed, *position), digest_size=8).digest()
    number = int.from_bytes(digest, "little")
    # Not torch.manual_seed: until CUDA is initialized, every call queues another entry with a stack trace.
    torch.default_generator.manual_seed(number)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(number)
    if _MPS:
        torch.mps.manual_seed(number)


_MPS = torch.backends.mps.is_available()
