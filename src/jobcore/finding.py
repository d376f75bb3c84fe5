"""Findings: what is wrong with a store, its server or its workers, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    PROBLEM = "problem"
    """Jobs are lost, late or stuck by it, or will be."""
    ADVICE = "advice"
    """It works, and could be safer or faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A kind of finding. Its *code* never changes between releases; *sentence* names
    the data of a finding in braces."""

    code: str
    severity: Severity
    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault that was found, with what is particular about this one, and the *place*
    where there are several."""

    fault: Fault
    data: Mapping[str, object] = field(default_factory=dict[str, object])
    place: str = ""

    def of(self, place: str) -> Finding:
        """The same, which names the *place* where it was found."""
        return replace(self, place=place)

    @property
    def code(self) -> str:
        return self.fault.code

    @property
    def severity(self) -> Severity:
        return self.fault.severity

    @property
    def sentence(self) -> str:
        """What is wrong, made of the data."""
        told = self.fault.sentence.format_map(self.data)
        return f"{self.place}: {told}" if self.place else told

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return self.fault.remedy
