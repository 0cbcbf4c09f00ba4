import re

import pytest

from stvit_video.data.layouts.hmdb51 import read_hmdb51_manifest
from stvit_video.data.layouts.ucf101 import read_ucf101_manifest
from stvit_video.data.manifests.faults import ManifestError


@pytest.mark.parametrize("read", [read_ucf101_manifest, read_hmdb51_manifest])
def test_choices_and_absent_lists(tmp_path, read):
    places = {"list_dir": tmp_path, "video_dir": tmp_path}
    # the whole sentence, once for its family
    with pytest.raises(ValueError, match='^part=\'test\' is unknown; choose "train" or "val"$'):
        read(**places, part="test")
    with pytest.raises(ValueError, match="split=4 .*1, 2 and 3"):
        read(**places, part="val", split=4)
    with pytest.raises(ValueError, match="missing='skip' .*error, drop, keep"):
        read(**places, part="val", missing="skip")
    with pytest.raises(ManifestError, match=rf"no list .*{re.escape(str(tmp_path))}\b"):
        read(**places, part="val")


def test_a_list_that_is_no_text(tmp_path):
    (tmp_path / "classInd.txt").write_bytes(b"1 \xff\xfe\n")
    with pytest.raises(ManifestError, match=r"classInd\.txt .*UTF-8 .*byte 0xff\b"):
        read_ucf101_manifest(tmp_path, video_dir=tmp_path, part="val")
