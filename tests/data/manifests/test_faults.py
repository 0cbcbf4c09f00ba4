import pytest

from stvit_video.data.manifests.faults import Faults, ManifestError


def test_faults_are_counted_and_shown_in_the_order_of_the_lines():
    faults = Faults("list.csv")
    for line in (9, 3, 7, 5, 2, 8, 4):
        faults.add(line, f"fault {line}")
    with pytest.raises(ManifestError) as caught:
        faults.raise_if_any()
    assert str(caught.value).split("\n  ") == [
        "list.csv is not usable, 7 fault(s):",
        *(f"line {line}: fault {line}" for line in (2, 3, 4, 5, 7)),
        "and 2 more",
    ]
