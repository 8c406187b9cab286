"""Randomness as a function of where the run stands, never of what happened on the way.

Before every update torch's global generators are seeded from (recipe's seed, images seen, update, rank). That alone
makes a resumed run equal the uninterrupted one, and keeps anything that draws random numbers in between harmless.
"""

from __future__ import annotations

import hashlib
import struct

import torch


def seed_everything(seed: int, *position: int) -> None:
    """Seed torch's generators on all devices from a seed and any number of position counters."""
    digest = hashlib.blake2b(struct.pack(f"<{1 + len(position)}q", seed, *position), digest_size=8).digest()
    number = int.from_bytes(digest, "little")
    # Not torch.manual_seed: while CUDA sleeps it queues a call with a stack trace, every time, for ever.
    torch.default_generator.manual_seed(number)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(number)
    if _MPS:
        torch.mps.manual_seed(number)


_MPS = torch.backends.mps.is_available()
