"""Detectors and segmenters: necks and heads around the backbones of `stvit_video.models`."""

from stvit_video.dense.create_dense import HEADS, build_described, create_dense, head_options
from stvit_video.dense.detector import Detector
from stvit_video.dense.head_rules import HEAD_RULES
from stvit_video.dense.load_dense import class_names, load_dense, load_start, weights_rule
from stvit_video.dense.map_rules import MAP_RULES
from stvit_video.dense.segmenter import Segmenter

__all__ = [
    "HEADS",
    "HEAD_RULES",
    "MAP_RULES",
    "Detector",
    "Segmenter",
    "build_described",
    "class_names",
    "create_dense",
    "head_options",
    "load_dense",
    "load_start",
    "weights_rule",
]
