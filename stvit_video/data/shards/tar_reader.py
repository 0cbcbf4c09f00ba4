"""Videos inside tar shards: a member is read by its byte range, in one piece, and decoded from a copy in memory.

On Linux the copy is a file without a name: it is gone with the process that made it, however that ends, and other
processes (the decoders') reach it by /proc. Elsewhere it is a temporary file.
"""

import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, cast

from stvit_video.data.decoding.reader import run_within
from stvit_video.data.decoding.request import Deadline, DecodeError
from stvit_video.data.decoding.time_limits import listing_seconds
from stvit_video.data.decoding.video import Video, open_video
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.shards.locations import file_system

HEADER_BYTES = tarfile.BLOCKSIZE  # a member's header stands right before its first byte
MEMORY_BYTES = 256 * 2**20  # a larger member is copied to the temporary folder
NUM_ATTEMPTS = 3  # of reading from an object store
PAUSE_SECONDS = 0.5
PREFIX = "stvit_video_"  # of temporary files
NUM_PLAIN_CHARACTERS = 100  # a longer name stands elsewhere, and shortened in the header
DESCRIPTORS = "/proc/self/fd"  # Linux


class FetchError(DecodeError):
    """The bytes of a video can't be had now: a network, a server or a disk failed, and not the video."""


@contextmanager
def open_member(
    record: VideoRecord, *, backend: str = "auto", time_limit_seconds: float | None = None
) -> Iterator[Video]:
    """Open a video inside a shard, as `open_video` opens a file.

    Args:
        record: with `member` and `byte_range`.
        backend: see `open_video`.
        time_limit_seconds: for reading the bytes, for opening, and for each `read`; None = see `open_video`.

    Raises:
        DecodeError: see `open_video` and `read_member`; it names the shard and the member.
    """
    with (
        member_file(record, time_limit_seconds=time_limit_seconds) as path,
        open_video(path, backend=backend, time_limit_seconds=time_limit_seconds, name=record.place) as video,
    ):
        yield video


@contextmanager
def member_file(record: VideoRecord, *, time_limit_seconds: float | None = None) -> Iterator[str]:
    """The path of a copy of a member, for this process and its children, as long as the block lasts.

    Raises:
        DecodeError: see `read_member`; or the copy can't be made (FetchError).
    """
    content = read_member(record, time_limit_seconds=time_limit_seconds)
    with ExitStack() as stack:
        try:
            path = (
                _nameless_copy(content, stack) if os.path.exists(DESCRIPTORS) else _named_copy(content, record, stack)
            )
        except OSError as error:
            words = error.strerror or error
            raise FetchError(f"can't copy {record.place} to read it ({words}); make room") from error
        yield path


def read_member(record: VideoRecord, *, time_limit_seconds: float | None = None) -> bytes:
    """The bytes of a member, after a look at its header.

    Args:
        record: with `member` and `byte_range`.
        time_limit_seconds: for an object store; None = it grows with the size.

    Raises:
        DecodeError: the shard ends before the member does, or holds something else there than its index says.
        FetchError: the shard can't be read.
        MissingLibraryError: the library for this kind of address does not import.
    """
    assert record.byte_range is not None
    first, size = record.byte_range
    start = first - HEADER_BYTES
    if record.address:
        seconds = listing_seconds(size) if time_limit_seconds is None else time_limit_seconds
        block = _fetched(record, start, first + size, seconds)
    else:
        block = _read(record, start, HEADER_BYTES + size)
    if not is_header_of(block[:HEADER_BYTES], record.member, size):
        raise DecodeError(
            f"{record.place} is not where index.csv says: the shard has been written anew; delete that index.csv"
        )
    if len(block) != HEADER_BYTES + size:
        missing = HEADER_BYTES + size - len(block)
        raise DecodeError(f"{record.place} is cut short: the shard ends {missing} bytes before it; get the shard anew")
    return block[HEADER_BYTES:]


def is_header_of(header: bytes, member: str, size: int) -> bool:
    """True = these 512 bytes are the tar header of a file with this name and size.

    Args:
        header: a tar block.
        member: the name; of one that is long or no ASCII only the size is compared, as the header holds a part of it.
        size: bytes.
    """
    try:
        found = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    is_plain = member.isascii() and len(member) <= NUM_PLAIN_CHARACTERS
    return found.isreg() and found.size == size and (found.name == member or not is_plain)


def _read(record: VideoRecord, start: int, num_bytes: int) -> bytes:
    try:
        with record.path.open("rb") as file:
            file.seek(start)
            return file.read(num_bytes)
    except OSError as error:
        raise FetchError(f"can't read {record.place}: the shard can't be read ({error.strerror or error})") from error


def _fetched(record: VideoRecord, start: int, end: int, seconds: float) -> bytes:
    deadline = Deadline(seconds)
    system, path = file_system(record.address)  # here, not in the thread: it and its connections are kept a thread
    for attempt in range(1, NUM_ATTEMPTS + 1):
        try:
            content = run_within(
                lambda: system.cat_file(path, start=start, end=end), seconds=deadline.remaining_seconds()
            )
            return bytes(content)
        except Exception as error:  # each library has errors of its own
            if attempt == NUM_ATTEMPTS or deadline.remaining_seconds() <= PAUSE_SECONDS:
                words = (str(error) or type(error).__name__).splitlines()[0]
                raise FetchError(f"can't read {record.place}: {words}") from error
        time.sleep(PAUSE_SECONDS)
    raise AssertionError("the last attempt returns or raises")


def _nameless_copy(content: bytes, stack: ExitStack) -> str:
    """A path to a new file with this content, which ends with the stack or with this process."""
    file = stack.enter_context(_new_file(len(content)))
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]
    return f"/proc/{os.getpid()}/fd/{file.fileno()}"


def _new_file(num_bytes: int) -> IO[bytes]:
    """An empty file without a name, unbuffered, in memory where so many bytes may stand there."""
    if num_bytes <= MEMORY_BYTES and hasattr(os, "memfd_create"):
        return open(os.memfd_create("video"), "w+b", buffering=0)
    return cast(IO[bytes], tempfile.TemporaryFile(prefix=PREFIX, buffering=0))


def _named_copy(content: bytes, record: VideoRecord, stack: ExitStack) -> str:
    """The same as a temporary file, which a killed process leaves behind."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=PREFIX))
    path = Path(folder, "video").with_suffix(Path(record.member).suffix)
    path.write_bytes(content)
    return str(path)
