import pytest

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.findings import Findings, doubles, first_of


def test_findings_add_up_and_faults_are_raised_together():
    found = Findings(warnings=["w"])
    found.raise_if_any("set")
    found.take(Findings(["one"], ["v"]))
    found.take(Findings(["two"]))
    assert found == Findings(["one", "two"], ["w", "v"])
    with pytest.raises(ManifestError, match="set is not usable, 2 fault.*\n  one\n  two"):
        found.raise_if_any("set")


def test_three_are_named():
    assert first_of(range(5)) == "first: 0, 1, 2"
    assert first_of(["a"]) == "first: a"


def test_doubles_are_told_once_each():
    assert doubles([3, 1, 3, 2, 3, 1]) == [3, 1]
    assert doubles([]) == []
