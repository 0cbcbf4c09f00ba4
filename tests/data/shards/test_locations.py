"""Names of shards: braces against what bash makes of them, patterns, folders; addresses on fsspec's memory:// ."""

import re
import subprocess
from types import SimpleNamespace

import pytest

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.shards import locations
from stvit_video.data.shards.locations import expand_braces, expand_shards, file_system, folder_of, sizes_of
from stvit_video.utils.addresses import is_address
from stvit_video.utils.optional import MissingLibraryError


@pytest.mark.parametrize(
    "pattern", ["a.tar", "{000..012}.tar", "{8..11}", "x{a,b}-{08..11}.tar", "{1,}{0..2}", "k/{007..1000}", "{5..5}"]
)
def test_braces_are_those_of_bash(pattern):
    told = subprocess.run(["bash", "-c", f"echo {pattern}"], capture_output=True, text=True, check=True)
    assert expand_braces(pattern) == told.stdout.split()


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        # the whole sentence, once for its family
        ("{00..09.tar", r"^'\{00\.\.09\.tar' has a brace without its other half; write e\.g\. \{000\.\.099\}$"),
        ("{00..xx}.tar", r"\{00\.\.xx\} is not understood\b"),
        ("{9..3}.tar", r"\{9\.\.3\} .*lower to a higher"),
        ("{0..99999}{0..99}.tar", r"\{0\.\.99\}\.tar' .*more than 1000000 names"),
    ],
)
def test_other_braces_are_refused(pattern, message):
    with pytest.raises(ManifestError, match=message):
        expand_braces(pattern)


def test_folders_and_patterns_are_sorted_and_braces_keep_their_order(tmp_path):
    for name in ("b.tar", "a.tar", "c.tar", "readme.txt"):
        (tmp_path / name).touch()
    every = [str(tmp_path / name) for name in ("a.tar", "b.tar", "c.tar")]
    assert expand_shards(str(tmp_path)) == expand_shards(f"{tmp_path}/*.tar") == every
    assert expand_shards(f"{tmp_path}/{{c,a}}.tar") == [every[2], every[0]]
    assert expand_shards(f"{tmp_path}/[ab].tar") == every[:2]
    assert expand_shards(f"{tmp_path}/gone.tar") == [f"{tmp_path}/gone.tar"]  # whoever opens it says so


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", r"no shard .*/\*\.tar;"),
        ("x*.tar", r"no shard .*/x\*\.tar;"),
        ("{a,a}.tar", r"/a\.tar more than once\b"),
        ("a.tar.gz", r"/a\.tar\.gz' .*not end in \.tar\b"),
    ],
)
def test_patterns_that_fit_nothing_or_no_shard(tmp_path, pattern, message):
    with pytest.raises(ManifestError, match=message):
        expand_shards(f"{tmp_path}/{pattern}")


def test_addresses_are_named_and_not_searched():
    assert is_address("s3://bucket/a.tar")
    assert not is_address("/data/a.tar")
    assert expand_shards("s3://bucket/{a,b}.tar") == ["s3://bucket/a.tar", "s3://bucket/b.tar"]
    for pattern in ("s3://bucket/*.tar", "s3://bucket/folder"):
        with pytest.raises(ManifestError, match=rf"{re.escape(pattern)}.* address can't be searched"):
            expand_shards(pattern)
    assert folder_of("s3://bucket/a/b.tar") == "s3://bucket/a"
    assert folder_of("/data/b.tar") == "/data"


def test_sizes_of_files_and_addresses(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"12345")
    system, path = file_system("memory://sizes/b.tar")
    system.pipe_file(path, b"1234567")
    places = [str(tmp_path / "a.tar"), str(tmp_path / "no.tar"), "memory://sizes/b.tar", "memory://sizes/no.tar"]
    assert sizes_of(places) == dict(zip(places, (5, None, 7, None), strict=True))


def test_protocols_that_cannot_be_opened(monkeypatch):
    with pytest.raises(ManifestError, match="'nosuch://x/a.tar' .*Protocol not known"):
        file_system("nosuch://x/a.tar")

    def fail(address):
        raise ImportError("Install s3fs to access S3")

    broken = SimpleNamespace(core=SimpleNamespace(url_to_fs=fail))
    monkeypatch.setattr(locations, "load_optional", lambda *_, **__: broken)
    message = r"s3:// .*\(Install s3fs to access S3\); .*pip install 'fsspec\[s3\]'$"
    with pytest.raises(MissingLibraryError, match=message):
        file_system("s3://bucket/a.tar")
