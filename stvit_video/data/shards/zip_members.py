"""Files inside a .zip: listed once, then read by their place in it; nothing is unpacked to disk.

A listed member knows where it lies, so reading one opens the archive, seeks and closes it again: no state that
processes would share, and no list of a million members in each of them.
"""

import os
import struct
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import BinaryIO, NamedTuple

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.manifests.faults import ManifestError

MAX_MEMBER_BYTES = 2**28  # of one member, packed or unpacked; some bytes of a .zip can claim to be many gigabytes
METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_IS_ENCRYPTED, _CHECKSUM_FOLLOWS = 1, 8  # bits of the flags
_DESCRIPTOR = b"PK\7\10"


class ZipMember(NamedTuple):
    """One file in an archive, and where: the first byte of its local header, and how many bytes its packed data are."""

    name: str
    byte_range: tuple[int, int]


def list_members(path: str | os.PathLike[str]) -> list[ZipMember]:
    """The files of an archive in its own order; folders are left out.

    Raises:
        ManifestError: there is no such file, it is no .zip or a damaged one, or members are encrypted or packed in a
            way that is not read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = [info for info in archive.infolist() if not info.is_dir()]
    except FileNotFoundError as error:
        raise ManifestError(f"there is no archive {path}; correct the path") from error
    except (zipfile.BadZipFile, NotImplementedError, struct.error, EOFError, ValueError) as error:
        raise ManifestError(f"{path} is no .zip that can be read ({error}); give a folder or a whole .zip") from error
    except OSError as error:
        raise ManifestError(f"{path} can't be read ({error.strerror or error}); check the file") from error
    encrypted = [info.filename for info in found if info.flag_bits & _IS_ENCRYPTED]
    if encrypted:
        raise ManifestError(
            f"{path}: {len(encrypted)} of {len(found)} files are encrypted, first: {encrypted[0]}; "
            "make the archive again without a password"
        )
    others = Counter(info.compress_type for info in found if info.compress_type not in METHODS)
    if others:
        numbers = ", ".join(str(method) for method in sorted(others))
        raise ManifestError(
            f"{path}: {others.total()} of {len(found)} files are packed by method {numbers}; "
            f"those read are {', '.join(METHODS.values())}: make the archive again, for example with zip -0"
        )
    return [ZipMember(info.filename, (info.header_offset, info.compress_size)) for info in found]


def read_member(path: str | os.PathLike[str], name: str, byte_range: tuple[int, int]) -> bytes:
    """The unpacked bytes of one member, its checksum compared.

    Args:
        path: the archive.
        name: the member, for messages.
        byte_range: from `list_members`.

    Raises:
        DecodeError: the archive can't be read, has changed, or the member is damaged, encrypted or larger than
            MAX_MEMBER_BYTES.
    """
    try:
        if byte_range[1] > MAX_MEMBER_BYTES:
            raise _FaultError(_too_large(f"{byte_range[1]}"))
        with Path(path).open("rb", buffering=0) as file:
            return _read(file, *byte_range)
    except OSError as error:
        raise DecodeError(f"can't read {f'{path}: {name}'!r}: {error.strerror or error}") from error
    except (_FaultError, zlib.error) as error:
        raise DecodeError(f"can't read {f'{path}: {name}'!r}: {error}") from error


class _FaultError(Exception):
    """What is wrong with a member."""


def _read(file: BinaryIO, start: int, num_bytes: int) -> bytes:
    file.seek(start)
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\3\4"):
        raise _FaultError("it does not begin where the archive's list says; the archive is damaged or was replaced")
    _, _, flags, method, _, _, checksum, _, _, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)
    if flags & _IS_ENCRYPTED or method not in METHODS:
        raise _FaultError("it is encrypted, or packed in a way that is not read")
    file.seek(name_bytes + extra_bytes, os.SEEK_CUR)
    packed = file.read(num_bytes)
    if len(packed) < num_bytes:
        raise _FaultError(f"the archive ends after {len(packed)} of its {num_bytes} bytes")
    content = _inflated(packed) if method == zipfile.ZIP_DEFLATED else packed
    if flags & _CHECKSUM_FOLLOWS:
        trailer = file.read(8)  # the signature is optional
        trailer = trailer[4:] if trailer.startswith(_DESCRIPTOR) else trailer[:4]
        checksum = int.from_bytes(trailer, "little")
    if zlib.crc32(content) != checksum:
        raise _FaultError("its checksum is wrong, so it is damaged")
    return content


def _inflated(packed: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(packed, MAX_MEMBER_BYTES + 1)
    if len(content) > MAX_MEMBER_BYTES:
        raise _FaultError(_too_large(f"more than {MAX_MEMBER_BYTES}"))
    if not inflater.eof:
        raise _FaultError("its packed data break off")
    return content


def _too_large(num_bytes: str) -> str:
    return f"it has {num_bytes} bytes, more than the {MAX_MEMBER_BYTES} bytes allowed"
