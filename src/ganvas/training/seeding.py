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
    torch.manual_seed(int.from_bytes(digest, "little"))
