"""The eval ledger as a Parquet file: a row for each view of each video, a row with a reason for each missing video.

What the logits mean (`LedgerInfo`) stands in the file's metadata. Rows are in the manifest's order, and nothing in
the file depends on when, where, or by how many processes it was made: equal results make equal bytes.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from stvit_video.evaluation.ledger.eval_ledger import Ledger, LedgerError, LedgerInfo
from stvit_video.evaluation.ledger.rows import columns_of, ledger_from_tables, row_schema
from stvit_video.utils.atomic_files import atomically
from stvit_video.utils.label_text import same_labels
from stvit_video.utils.optional import load_optional

METADATA_KEY = b"stvit_video.ledger"
DIGEST_KEY = b"stvit_video.ledger.sha256"  # Parquet has checksums for its rows, none for its metadata
FORMAT_VERSION = 1
WHERE = "give the ledger.parquet that stvit_video.evaluate writes into outputs/evaluate/<date>/<time>"
VIDEOS_PER_GROUP = 512  # in a row group of the file; bounds the memory that writing takes


def write_ledger(ledger: Ledger, path: str | os.PathLike[str]) -> Path:
    """Write a ledger; the file appears when it is complete, or not at all. One that is there is replaced.

    Returns:
        `path`.

    Raises:
        LedgerError: the folder can't be written, or the disk is full.
        MissingLibraryError: pyarrow is not installed.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomically(target) as part:
            _write(ledger, str(part))
    except OSError as error:
        raise LedgerError(f"the ledger {target} can't be written ({error}); choose another place") from error
    return target


def read_ledger(path: str | os.PathLike[str], *, classes: Sequence[str] | None = None) -> Ledger:
    """Read a ledger and check that every listed video is there with all its views, each once.

    Args:
        classes: the class names that are expected, in their order; None = whatever the file says.

    Raises:
        LedgerError: there is no such file, it is damaged, no ledger, incomplete, or about other classes.
        MissingLibraryError: pyarrow is not installed.
    """
    source = Path(path)
    if not source.is_file():
        raise LedgerError(f"there is no ledger {source}; {WHERE}")
    pa, parquet = _pyarrow()
    try:
        with parquet.ParquetFile(source, page_checksum_verification=True) as file:
            metadata = file.schema_arrow.metadata or {}
            info, num_videos = _read_info(metadata, source)
            _check_columns(file.schema_arrow, row_schema(pa), source)
            if classes is not None and not same_labels(classes, info.classes):
                raise LedgerError(f"{source} is about other classes: {_difference(info.classes, tuple(classes))}")
            tables = (file.read_row_group(group) for group in range(file.num_row_groups))
            return ledger_from_tables(tables, info=info, num_videos=num_videos, source=source)
    except (OSError, pa.ArrowException) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise LedgerError(f"{source} is damaged or no Parquet file ({reason}); {WHERE}") from error


def _pyarrow() -> tuple[ModuleType, ModuleType]:
    """pyarrow and pyarrow.parquet, which cost a tenth of a second that only ledgers should take."""
    install = "pip install pyarrow"
    return (
        load_optional("pyarrow", needed_for="the eval ledger", install=install),
        load_optional("pyarrow.parquet", needed_for="the eval ledger", install=install),
    )


def _write(ledger: Ledger, name: str) -> None:
    pa, parquet = _pyarrow()
    said = {"format": FORMAT_VERSION, "num_videos": len(ledger.video_ids), **asdict(ledger.info)}
    text = json.dumps(said, sort_keys=True).encode()
    schema = row_schema(pa).with_metadata({METADATA_KEY: text, DIGEST_KEY: _digest(text)})
    with parquet.ParquetWriter(
        name, schema, compression="zstd", use_dictionary=["video_id"], write_page_checksum=True
    ) as writer:
        for start in range(0, max(len(ledger.video_ids), 1), VIDEOS_PER_GROUP):
            stop = min(start + VIDEOS_PER_GROUP, len(ledger.video_ids))
            writer.write_table(pa.table(columns_of(ledger, start, stop, pa=pa), schema=schema))


def _read_info(metadata: Mapping[bytes, bytes], source: Path) -> tuple[LedgerInfo, int]:
    """What the logits mean, and how many videos are listed."""
    if METADATA_KEY not in metadata:
        raise LedgerError(f"{source} is no eval ledger: its metadata lack {METADATA_KEY.decode()!r}")
    text = metadata[METADATA_KEY]
    if metadata.get(DIGEST_KEY) != _digest(text):
        raise LedgerError(f"the metadata of {source} are damaged, their checksum differs; evaluate again")
    try:
        said = json.loads(text)
        version, num_videos = said.pop("format"), said.pop("num_videos")
        if version != FORMAT_VERSION:
            raise LedgerError(f"its format is {version!r}, this version reads {FORMAT_VERSION}; evaluate again")
        return LedgerInfo(**{**said, "classes": tuple(said["classes"])}), int(num_videos)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LedgerError(f"the metadata of {source} can't be used: {error}") from error


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()


def _check_columns(found: Any, wanted: Any, source: Path) -> None:
    """The columns must be ours by name and type; that a reader may leave `nullable` out is no fault."""
    names = {field.name: field.type for field in found}
    for field in wanted:
        if names.get(field.name) != field.type:
            has = f"{names[field.name]}" if field.name in names else "absent"
            raise LedgerError(f"{source} is no eval ledger: column {field.name} must be {field.type}, it is {has}")


def _difference(found: tuple[str, ...], expected: tuple[str, ...]) -> str:
    """Where two class lists first differ, in words."""
    if len(found) != len(expected):
        return f"it has {len(found)}, expected are {len(expected)}"
    first = next(n for n, pair in enumerate(zip(found, expected, strict=True)) if not same_labels(pair[:1], pair[1:]))
    return f"class {first} is {found[first]!r}, expected is {expected[first]!r}"
