"""A finding tells its fault with its own data."""

from __future__ import annotations

from jobcore import Fault, Finding, Severity

FAULT = Fault(
    code="disk_full",
    severity=Severity.PROBLEM,
    sentence="{percent} % of {disk} are in use",
    remedy="Delete something.",
)


def test_a_finding_is_made_of_its_fault_and_its_data() -> None:
    finding = Finding(FAULT, {"percent": 99, "disk": "sda"})
    assert (finding.code, finding.severity) == ("disk_full", Severity.PROBLEM)
    assert finding.sentence == "99 % of sda are in use"
    assert finding.remedy == "Delete something."


def test_a_finding_may_name_its_place() -> None:
    finding = Finding(FAULT, {"percent": 99, "disk": "sda"}).of("store {1}")
    assert finding.sentence == "store {1}: 99 % of sda are in use"
    assert finding.code == "disk_full"
