"""A checkpoint in use: where it runs, and which lists it fits."""

import dataclasses
from typing import Any

import pytest
import torch

from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.inference.trained_model import choose_device


def test_devices() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda")
    with pytest.raises(ValueError, match=r"device='gpu' .*auto, cpu, cuda or cuda:<n>"):
        choose_device("gpu")


def test_lists_and_checkpoints_are_of_one_kind(tiny_run: Any) -> None:
    one = load_recognizer(tiny_run.checkpoint, device="cpu")
    several = dataclasses.replace(one, multi_label=True, config={"data": {"label_separator": ";"}})
    assert (one.label_separator, several.label_separator) == ("|", ";")
    single_list = read_csv_manifest(tiny_run.manifest, classes=one.classes)
    several_list = read_csv_manifest(tiny_run.manifest, classes=one.classes, label_separator=";")
    one.require_labels_of(single_list)
    several.require_labels_of(several_list)
    message = (  # the whole sentence, once for its family
        "^the checkpoint was trained on several labels a video and the list gives one each; "
        "use a CSV, which is then read with label_separator=';'$"
    )
    with pytest.raises(ManifestError, match=message):
        several.require_labels_of(single_list)
    with pytest.raises(ManifestError, match="list .*several labels a video .*one each; .*label_separator"):
        one.require_labels_of(several_list)
