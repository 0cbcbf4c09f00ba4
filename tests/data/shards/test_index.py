"""index.csv: made once, trusted while it holds, mended where it does not; on addresses it must be there."""

import os
import re

import pytest
from tar_maker import samples, write_tar

from stvit_video.data.manifests.faults import Faults, ManifestError
from stvit_video.data.shards import index as tar_index_file
from stvit_video.data.shards.index import HEADER, IndexedShard, find_members, parse_index, write_index
from stvit_video.data.shards.locations import file_system
from stvit_video.data.shards.tar_scan import Member


def find(*shards):
    faults = Faults("shards")
    found = find_members([str(shard) for shard in shards], faults)
    faults.raise_if_any()
    return {os.path.basename(shard): [member.name for member in members] for shard, members in found.items()}


@pytest.fixture
def scanned(monkeypatch):
    """The names of the shards that were searched."""
    names = []
    scan = tar_index_file.scan_shard

    def note(path, faults):
        names.append(os.path.basename(path))
        return scan(path, faults)

    monkeypatch.setattr(tar_index_file, "scan_shard", note)
    return names


def test_an_index_is_written_and_read_back(tmp_path):
    members = (
        Member("a, b.mp4", 512, 7, 'the "run"', "3", "x/1", "val", 1.25, None),
        Member("läuft\n.mp4", 2048, 5, "", "0", "b"),
    )
    index = {"0.tar": IndexedShard(4096, members), "1.tar": IndexedShard(1024, members[:1])}
    write_index(tmp_path, index)
    with (tmp_path / "index.csv").open(newline="", encoding="utf-8") as file:
        assert parse_index(file.read()) == index


def test_a_shard_is_searched_once_and_again_when_it_changes(tmp_path, scanned):
    first, second = (write_tar(tmp_path / f"{name}.tar", samples(name)) for name in "ab")
    assert find(first) == {"a.tar": ["a.mp4"]}
    assert find(second, first) == {"b.tar": ["b.mp4"], "a.tar": ["a.mp4"]}
    assert find(first, second) == {"a.tar": ["a.mp4"], "b.tar": ["b.mp4"]}
    assert scanned == ["a.tar", "b.tar"]
    write_tar(first, samples("x"))  # of the same size
    later = (tmp_path / "index.csv").stat().st_mtime + 5
    os.utime(first, (later, later))
    assert find(first, second)["a.tar"] == ["x.mp4"]
    assert scanned == ["a.tar", "b.tar", "a.tar"]
    write_tar(first, samples("x", "y", "z" * 20, "w", "v", "u", "t"))
    os.utime(first, (0, 0))
    assert len(find(first)["a.tar"]) == 7
    assert scanned[3:] == ["a.tar"]


def test_shards_that_are_gone_leave_the_index(tmp_path):
    first, second = (write_tar(tmp_path / f"{name}.tar", samples(name)) for name in "ab")
    find(first, second)
    first.unlink()
    write_tar(tmp_path / "c.tar", samples("c"))
    find(second, tmp_path / "c.tar")
    assert set(parse_index((tmp_path / "index.csv").read_text())) == {"b.tar", "c.tar"}


def test_a_damaged_index_is_made_anew(tmp_path, caplog, scanned):
    shard = write_tar(tmp_path / "a.tar", samples("a"))
    for text in ("no index", f"{','.join(HEADER)}\na.tar,x\n", f"{','.join(HEADER)}\na.tar,x,a.mp4,1,1,,,,,,\n"):
        (tmp_path / "index.csv").write_text(text)
        assert find(shard) == {"a.tar": ["a.mp4"]}
    assert scanned == ["a.tar"] * 3
    assert re.search(r"index\.csv .*header is 'no index' and not 'shard,", caplog.messages[0])
    assert re.search(r"index\.csv .*2 fields and not 11\b", caplog.messages[1])


def test_two_sizes_of_one_shard_are_no_index():
    rows = "".join(f"a.tar,{size},{size}.mp4,512,1,x,,{size},,,\n" for size in (1, 2))
    with pytest.raises(ValueError, match=r"a\.tar two sizes, 1 and 2\b"):
        parse_index(f"{','.join(HEADER)}\n{rows}")


def test_where_no_index_can_be_kept_the_shards_are_read_all_the_same(tmp_path, caplog, monkeypatch):
    shard = write_tar(tmp_path / "a.tar", samples("a"))

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tar_index_file, "write_table", refuse)
    assert find(shard) == find(shard) == {"a.tar": ["a.mp4"]}
    # the whole sentence, once for its family
    assert (
        caplog.messages
        == [f"{tmp_path}: no index.csv can be kept there (Permission denied), so shards are searched each time"] * 2
    )


def test_all_faults_come_together_and_no_index_is_written(tmp_path):
    cut = write_tar(tmp_path / "a.tar", samples("a"))
    cut.write_bytes(cut.read_bytes()[:700])
    bare = write_tar(tmp_path / "b.tar", {"b.mp4": b"1"})
    with pytest.raises(ManifestError) as caught:
        find(cut, bare, tmp_path / "c.tar", write_tar(tmp_path / "d.tar", samples("d")))
    text = str(caught.value)
    assert "3 fault(s)" in text
    assert f"{bare}: b.mp4 has no label" in text
    assert f"no shard {tmp_path}/c.tar;" in text
    assert not (tmp_path / "index.csv").exists()


def upload(folder, address):
    system, root = file_system(address)
    for path in folder.iterdir():
        system.pipe_file(f"{root}/{path.name}", path.read_bytes())
    return system, root


def test_addresses_are_read_by_the_index_beside_them(tmp_path):
    shards = [write_tar(tmp_path / f"{name}.tar", samples(name)) for name in "ab"]
    address = "memory://index_file"
    upload(tmp_path, address)
    # the whole sentence, once for its family
    whole = (
        r"^there is no memory://index_file/index\.csv; read the shards once as local files, which writes index\.csv, "
        "and upload that beside them$"
    )
    with pytest.raises(ManifestError, match=whole):
        find(f"{address}/a.tar")
    find(*shards)
    system, root = upload(tmp_path, address)
    assert find(f"{address}/a.tar", f"{address}/b.tar") == {"a.tar": ["a.mp4"], "b.tar": ["b.mp4"]}
    system.pipe_file(f"{root}/c.tar", b"1")
    system.pipe_file(f"{root}/a.tar", b"22")
    with pytest.raises(ManifestError) as caught:
        find(*(f"{address}/{name}.tar" for name in "abcd"))
    text = str(caught.value)
    assert "3 fault(s)" in text
    assert f"{address}/a.tar has 2 bytes and not 10240 as {address}/index.csv says" in text
    assert f"{address}/c.tar is not in {address}/index.csv" in text
    assert f"{address}/d.tar is not there" in text
    system.pipe_file(f"{root}/index.csv", b"nothing")
    with pytest.raises(ManifestError, match=r"index_file/index\.csv .*header is 'nothing' and not"):
        find(f"{address}/b.tar")
