"""A figure: a measured number, and everything that decides it. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ganvas.untrusted import is_count, is_number


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number, as it stands in log.jsonl, figures.jsonl and every table.

    Two figures are comparable if `measure`, `test_set` and every field of `protocol` but the version of ganvas agree.
    """

    measure: str
    """As people read it: FD, KID, PSNR-Y."""
    value: float
    low: float | None = None
    """Lower end of the 95 % interval, where there is one."""
    high: float | None = None
    """Its upper end."""
    unit: str = ""
    """dB, for example; empty for a bare number."""
    higher_is_better: bool | None = None
    """None where neither is."""
    real: float | None = None
    """The same of real samples in the fakes' place, where it was taken: what it should be, if neither end is better."""
    test_set: str = ""
    """What it was measured on, where this has a name: a test set such as Set5, or one class of the reals."""
    images_seen: int | None = None
    """Of the weights it was measured with."""
    state: str = ""
    """Of which weights: last, best, or kept-IMAGES."""
    protocol: Mapping[str, Any] = field(default_factory=dict)
    """How it was taken."""

    @property
    def title(self) -> str:
        """The measure and what it was taken on: PSNR-Y on Set5."""
        return f"{self.measure} on {self.test_set}" if self.test_set else self.measure

    @property
    def is_point(self) -> bool:
        """Whether it is a point of a curve over temperatures, which is shown as a whole."""
        return "curve" in self.protocol

    def to_plain(self) -> dict[str, Any]:
        """As a line of JSON; what says nothing is left out."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain["protocol"] = dict(self.protocol)
        return {name: value for name, value in plain.items() if value not in (None, "") or name == "value"}

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> Figure | None:
        """Read what `to_plain` made; keys of other versions are passed over. None if it is damaged."""
        found = {name: plain[name] for name in Figure.__dataclass_fields__ if name in plain}
        found |= {name: None for name in ("low", "high", "real") if not is_number(found.get(name))}
        sound = (
            isinstance(found.get("measure"), str)
            and is_number(found.get("value"))
            and all(isinstance(found.get(name, ""), str) for name in ("unit", "test_set", "state"))
            and isinstance(found.get("higher_is_better"), bool | None)
            and (found.get("images_seen") is None or is_count(found["images_seen"]))
            and isinstance(found.get("protocol", {}), dict)
        )
        return Figure(**found) if sound else None
