import pytest

from stvit_video.data.manifests.faults import Faults, ManifestError, UnknownLabelError


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


@pytest.mark.parametrize(("num_others", "kind"), [(0, UnknownLabelError), (4, UnknownLabelError), (5, ManifestError)])
def test_unknown_labels_have_an_error_of_their_own_where_one_is_shown(num_others, kind):
    faults = Faults("list.csv")
    faults.add_unknown_label(7, "no class")
    for line in range(num_others):
        faults.add(line, "unknown label, says a path")
    with pytest.raises(ManifestError) as caught:
        faults.raise_if_any()
    assert type(caught.value) is kind
    assert ("line 7: no class" in str(caught.value)) is (kind is UnknownLabelError)
