import io
import re
import shutil
import struct
import subprocess
import zipfile

import pytest

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.shards import zip_members
from stvit_video.data.shards.zip_members import list_members, read_member

CONTENTS = {"a.txt": b"first" * 7, "b/c d.bin": bytes(range(256)) * 5, "b/empty": b"", "ü/é.txt": b"accents"}
METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]


class Stream(io.RawIOBase):
    """A file that can't seek, so that zipfile writes checksums behind the members."""

    def __init__(self, path):
        super().__init__()
        self.file = path.open("wb")

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)


def write_zip(path, contents=CONTENTS, *, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def read_all(path):
    return {member.name: read_member(path, *member) for member in list_members(path)}


@pytest.mark.parametrize("method", METHODS)
def test_members_are_read_as_zipfile_reads_them(tmp_path, method):
    path = write_zip(tmp_path / "x.zip", method=method)
    with zipfile.ZipFile(path) as archive:
        assert read_all(path) == {name: archive.read(name) for name in archive.namelist()} == CONTENTS


@pytest.mark.parametrize("method", METHODS)
def test_checksums_behind_the_members(tmp_path, method):
    path = tmp_path / "streamed.zip"
    stream = Stream(path)
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in CONTENTS.items():
            archive.writestr(name, content)
    stream.file.close()
    with zipfile.ZipFile(path) as archive:
        assert all(info.flag_bits & 8 for info in archive.infolist())
    assert read_all(path) == CONTENTS


@pytest.mark.skipif(shutil.which("zip") is None, reason="the zip program is not installed here")
def test_members_that_the_zip_program_wrote(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("a.txt", "b/c d.bin"):
        (tmp_path / name).write_bytes(CONTENTS[name])
    subprocess.run(["zip", "-qr", "x.zip", "a.txt", "b"], cwd=tmp_path, check=True)
    assert read_all(tmp_path / "x.zip") == {name: CONTENTS[name] for name in ("a.txt", "b/c d.bin")}


def test_folders_large_headers_and_bytes_before_the_archive(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("folder/", b"")
        with archive.open("folder/a", "w", force_zip64=True) as file:
            file.write(b"content")
    path.write_bytes(b"something before it" + path.read_bytes())
    assert read_all(path) == {"folder/a": b"content"}


def test_damage_is_told_with_the_member_and_the_cause(tmp_path):
    path = write_zip(tmp_path / "x.zip", {"one": b"1" * 400, "two": bytes(range(200))}, method=zipfile.ZIP_STORED)
    one, two = list_members(path)
    content = bytearray(path.read_bytes())
    content[two.byte_range[0] + 60] ^= 1
    path.write_bytes(content)
    assert read_member(path, *one) == b"1" * 400
    # the whole sentence, once for its family
    with pytest.raises(DecodeError, match=r"^can't read '.*x.zip: two': its checksum is wrong, so it is damaged$"):
        read_member(path, *two)
    path.write_bytes(content[:300])
    with pytest.raises(DecodeError, match=r"x\.zip: one': .*ends after 267 of its 400\b"):
        read_member(path, *one)
    with pytest.raises(DecodeError, match=r"x\.zip: two': .*not begin where\b"):
        read_member(path, *two)
    path.unlink()
    with pytest.raises(DecodeError, match=r"x\.zip: one': No such file"):
        read_member(path, *one)


def test_damaged_deflate(tmp_path):
    path = write_zip(tmp_path / "x.zip", {"one": bytes(range(256)) * 9})
    [(name, (start, size))] = list_members(path)
    with pytest.raises(DecodeError, match=r"x\.zip: one': .*break off\b"):
        read_member(path, name, (start, size - 9))
    content = bytearray(path.read_bytes())
    content[start + 33] = 0xFF
    path.write_bytes(content)
    with pytest.raises(DecodeError, match="one': Error -3 while decompressing data"):
        read_member(path, name, (start, size))


def test_bombs(tmp_path, monkeypatch):
    monkeypatch.setattr(zip_members, "MAX_MEMBER_BYTES", 1000)
    path = write_zip(tmp_path / "x.zip", {"bomb": bytes(10**6), "fits": bytes(1000)})
    bomb, fits = list_members(path)
    assert read_member(path, *fits) == bytes(1000)
    with pytest.raises(DecodeError, match=r"bomb': .*more than 1000 bytes, .*\b1000 bytes allowed\b"):
        read_member(path, *bomb)
    with pytest.raises(DecodeError, match=r"bomb': .*4000000000 bytes, .*\b1000 bytes allowed\b"):
        read_member(path, "bomb", (0, 4_000_000_000))


def test_encrypted_members(tmp_path):
    path = write_zip(tmp_path / "x.zip", {"one": b"1", "two": b"2"})
    _, two = list_members(path)
    content = bytearray(path.read_bytes())
    content[two.byte_range[0] + 6] |= 1  # the flags of its local header, then those of the list
    (tmp_path / "local.zip").write_bytes(content)
    with pytest.raises(DecodeError, match=r"local\.zip: two': .*encrypted\b"):
        read_member(tmp_path / "local.zip", *two)
    content[content.rfind(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    # the whole sentence, once for its family
    with pytest.raises(
        ManifestError,
        match=r"x\.zip: 1 of 2 files are encrypted, first: two; make the archive again without a password$",
    ):
        list_members(path)


def test_other_packing_and_no_archives(tmp_path):
    path = write_zip(tmp_path / "x.zip", method=zipfile.ZIP_LZMA)
    with pytest.raises(ManifestError, match=r"x\.zip: 4 of 4 files .*method 14; .*stored, deflated\b"):
        list_members(path)
    path.write_bytes(struct.pack("<I", 7) * 30)
    with pytest.raises(ManifestError, match=r"x\.zip is no \.zip .*\(File is not a zip file\)"):
        list_members(path)
    with pytest.raises(ManifestError, match=r"no archive .*gone\.zip;"):
        list_members(tmp_path / "gone.zip")
    with pytest.raises(ManifestError, match=rf"{re.escape(str(tmp_path))} .*\(Is a directory\)"):
        list_members(tmp_path)
