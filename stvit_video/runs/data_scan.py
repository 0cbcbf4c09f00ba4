"""Scan a data set before training on it: the work of `python -m stvit_video.doctor`."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stvit_video.config.layout_options import read_with_layout
from stvit_video.config.unknown_keys import unknown_faults
from stvit_video.data.curation.annotation_report import (
    check_scanned_copies,
    check_scanned_sizes,
    describe_annotations,
    write_class_table,
)
from stvit_video.data.curation.examine import Examination, describe, examine, write_examination
from stvit_video.data.curation.map_report import describe_label_maps, write_map_classes
from stvit_video.data.curation.transcode import Encoding
from stvit_video.data.curation.transcode_gain import measure_gain
from stvit_video.data.layouts.catalogue import BOX_LAYOUTS, MAP_LAYOUTS, PICTURE_LAYOUTS
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures
from stvit_video.data.manifests.findings import Findings
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.manifests.mapped_pictures import MappedPictures
from stvit_video.factories.manifests import build_parts
from stvit_video.factories.map_lists import map_findings, read_maps
from stvit_video.factories.picture_lists import annotation_findings, read_pictures
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.doctor_settings import DoctorSettings


def scan_data(values: Mapping[str, Any], *, output_dir: Path) -> Examination:
    """Scan the listed videos, write the tables, print what was found and what preparing would gain.

    Args:
        values: the settings as plain values, see `stvit_video.settings.doctor_settings`; one that is left out has its
            default.
        output_dir: where the tables go.

    Raises:
        ValueError: ManifestError, or lists every wrong or unknown setting, a sentence each.
        OSError: a table can't be written.
    """
    read = read_with_layout(DoctorSettings, values)
    if faults := [*unknown_faults(read.unknown, config_name="doctor"), *read.wrong.values()]:
        raise ValueError("; ".join(faults))
    settings = read.settings
    data, encoding = settings.data, Encoding(short_side=settings.short_side, gop=settings.gop)
    num_measured, limit = settings.num_measured, settings.time_limit_seconds
    listed = list_parts(data, settings.parts)
    examination = examine(
        listed,
        num_workers=settings.num_workers or os.cpu_count() or 1,
        time_limit_seconds=limit,
        frames=settings.frames,
        max_distance_bits=settings.max_distance_bits,
        num_frames=data.num_frames,
        frame_stride=data.frame_stride,
    )
    write_examination(examination, output_dir)
    print("\n".join(describe(examination)))
    of_lists = (*describe_boxes(listed, examination, output_dir), *describe_maps(listed, output_dir))
    examination = replace(examination, list_faults=of_lists)
    good = [path for path, report in examination.reports.items() if not report.faults and os.path.isfile(path)]
    if num_measured and good and data.source not in PICTURE_LAYOUTS:  # pictures are as quick as they get
        sample = good[:: max(1, len(good) // num_measured)][:num_measured]  # spread over the list
        gain = measure_gain(
            sample,
            encoding=encoding,
            time_limit_seconds=limit,
            num_frames=data.num_frames,
            frame_stride=data.frame_stride,
        )
        print(gain.sentence())
    print(f"report.csv, duplicates.csv and quarantine.csv are in {output_dir}")
    if examination.quarantined:
        print(f"train without the bad ones: data.quarantine={output_dir / 'quarantine.csv'}")
    return examination


def describe_boxes(listed: Mapping[str, Manifest], examination: Examination, output_dir: Path) -> tuple[str, ...]:
    """Print what pictures with boxes hold, and what is wrong with their annotations; write classes.csv.

    Outlines that task=instance refuses are warnings here, because task=detection does without them.

    Args:
        listed: part -> its list; one without boxes is passed over.
        examination: of their files.
        output_dir: where the table goes.

    Returns:
        The faults.

    Raises:
        OSError: the table can't be written.
    """
    boxes = {part: pictures for part, pictures in listed.items() if isinstance(pictures, AnnotatedPictures)}
    if not boxes:
        return ()
    write_class_table(output_dir / "classes.csv", boxes)
    print("\n".join(describe_annotations(boxes)))
    found = annotation_findings(boxes, masks=False)
    if any(pictures.has_outlines for pictures in boxes.values()):
        with_masks = annotation_findings(boxes, masks=True)
        refused = [fault for fault in with_masks.faults if fault not in found.faults]
        found.warnings += [f"task=instance refuses this: {fault}" for fault in refused]
        found.warnings += [warning for warning in with_masks.warnings if warning not in found.warnings]
    found.take(check_scanned_sizes(boxes, examination.reports))
    found.take(check_scanned_copies(boxes, examination.groups))
    _print_findings(found)
    return tuple(found.faults)


def describe_maps(listed: Mapping[str, Manifest], output_dir: Path) -> tuple[str, ...]:
    """Read all label maps, print what they hold and what is wrong with them; write classes.csv.

    Args:
        listed: part -> its list; one without label maps is passed over.
        output_dir: where the table goes.

    Returns:
        The faults.

    Raises:
        OSError: the table can't be written.
    """
    maps = {part: pictures for part, pictures in listed.items() if isinstance(pictures, MappedPictures)}
    if not maps:
        return ()
    counts, found = map_findings(maps)
    write_map_classes(output_dir / "classes.csv", next(iter(maps.values())).classes, counts)
    print("\n".join(describe_label_maps(maps, counts)))
    _print_findings(found)
    return tuple(found.faults)


def _print_findings(found: Findings) -> None:
    for kind, sentences in (("fault", found.faults), ("warning", found.warnings)):
        print("\n".join(f"{kind}: {sentence}" for sentence in sentences) or f"no {kind} in the annotations")


def list_parts(data: ClipSettings, parts: Sequence[str]) -> Mapping[str, Manifest]:
    """The listed videos of each part; those that are listed and not there stay in, as faults.

    Args:
        data: with the options of the layout.
        parts: of "train" and "val".

    Raises:
        ValueError: ManifestError, or `parts` is none or twice the same.
    """
    if not parts or len(set(parts)) < len(parts):
        raise ValueError(f"parts={list(parts)!r} is not possible; give [train,val], [train] or [val]")
    plain = data.plain() | {"quarantine": None}
    if data.source == "csv" and "val" in parts and not (plain.get("val") or plain.get("fold_column")):
        raise ValueError("there is no data.val to scan; give data.val=val.csv, or parts=[train]")
    if data.source in MAP_LAYOUTS:
        return read_maps(plain, parts)
    return read_pictures(plain, parts) if data.source in BOX_LAYOUTS else build_parts(plain, parts)
