"""Networks are not built beyond the memory."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganvas.errors import InputError
from ganvas.nn.building import within_memory
from tests.conftest import Cli, assert_refused

CPU = torch.device("cpu")


@pytest.mark.parametrize("verb", ["train", "plan"])
@pytest.mark.parametrize("width", ["20000", "1000000000", "1000000000000000"])
def test_a_network_wider_than_the_memory_is_refused(cli: Cli, verb: str, width: str) -> None:
    assert_refused(cli(verb, "dcgan-digits", "--system.d-width", width), "too many weights", "narrower")


def test_a_network_of_endless_layers_is_refused() -> None:
    with pytest.raises(InputError, match="fewer layers"), within_memory(CPU):
        nn.Sequential(*(nn.Linear(1, 1) for _ in range(10**9)))


def test_other_errors_of_a_network_pass() -> None:
    with pytest.raises(RuntimeError, match="shape"), within_memory(CPU):
        torch.zeros(2, 3) @ torch.zeros(2, 3)
    with within_memory(CPU):
        nn.Linear(2, 2)


def test_too_little_memory_is_one_sentence(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.cli.plan.main", lambda _: torch.empty(2**50, dtype=torch.uint8))
    assert_refused(cli("plan", "dcgan-digits"), "too little free memory", "smaller")
