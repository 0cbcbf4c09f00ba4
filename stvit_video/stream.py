"""`python -m stvit_video.stream ckpt_path=run/best.ckpt source=FILE|0|rtsp://...`: what is seen now, and since when.

A file, a camera or an address is read to its end or until Ctrl-C, and every few frames the last window is labelled. An
event is a line in the terminal; out= keeps all steps, the events, a track for players and a picture. With bundle= in
place of the checkpoint torch is neither loaded nor needed.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from typing import Any, get_args

from stvit_video.bundles.bundle_choices import refuse_fixed, refuse_other_graph
from stvit_video.bundles.bundle_description import DESCRIPTION, refuse_bundle
from stvit_video.data.decoding.request import DecodeError
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.inference.shared_settings import CKPT_PATH, DEVICE, TOKENS, token_choices
from stvit_video.predictions.disk_writes import file_digest
from stvit_video.predictions.stopping import sigterm_ends
from stvit_video.streaming.bundle_steps import load_bundle_steps
from stvit_video.streaming.events import EventRules
from stvit_video.streaming.run_stream import OnLate, run_stream
from stvit_video.streaming.stream_output import follow_stream
from stvit_video.streaming.streaming_recognizer import StreamingRecognizer
from stvit_video.utils.choices import Smoothing, words_of
from stvit_video.utils.command_line import Command, Given, Setting
from stvit_video.utils.optional import INSTALL_PACKAGE, MissingLibraryError, load_optional
from stvit_video.utils.value_kinds import PATH, TEXT, YES_NO, number, one_of, positive_number, whole

COMMAND = Command(
    prog="python -m stvit_video.stream",
    summary="What is seen in a file, by a camera or at an address while it goes on: a line when an event is sure, and "
    "one when it is over.",
    settings=(
        replace(CKPT_PATH, stand_ins=("bundle",)),
        Setting(
            name="bundle",
            kind=replace(PATH, example="outputs/<run>/bundle_onnx"),
            help="folder written by stvit_video.export with streaming=true, in place of a checkpoint",
            excludes=("ckpt_path",),
        ),
        Setting(
            name="source",
            kind=replace(TEXT, sign="FILE|N|ADDRESS", example="0"),
            help="a file, the number of a camera, or an address such as rtsp://host/path",
            is_needed=True,
        ),
        Setting(
            name="out",
            kind=replace(PATH, example="seen"),
            help="folder to make for steps.csv, events.jsonl, events.vtt, timeline.png and stream.json",
        ),
        Setting(
            name="stride_frames",
            kind=whole(low=1),
            help="frames, of those that the model sees, from answer to answer; a multiple of its tubelet",
            default=4,
        ),
        Setting(
            name="target_fps",
            kind=replace(positive_number(), example="12.5"),
            help="frames a second that the model sees",
            default_words="those of the source / frame_stride of the checkpoint",
        ),
        *TOKENS,
        Setting(
            name="on_late",
            kind=one_of(get_args(OnLate)),
            help="where the model is slower than a live source: drop frames, or lag behind",
            default="drop",
        ),
        Setting(
            name="timeout_seconds",
            kind=replace(positive_number(), example="10"),
            help="how long a camera or address may send nothing before it is asked for again",
            default=10.0,
        ),
        Setting(name="max_reconnects", kind=whole(low=0), help="how often it is asked for again", default=5),
        Setting(name="allow_addresses", kind=YES_NO, help="ask addresses over the network", default=False),
        Setting(
            name="max_seconds",
            kind=positive_number(),
            help="of the source, after which the stream is ended",
            default_words="to its end",
        ),
        Setting(
            name="smoothing",
            kind=one_of(words_of(Smoothing)),
            help="of probabilities over time: moving mean, or exponential moving average",
            default=EventRules.smoothing,
        ),
        Setting(
            name="smoothing_seconds",
            kind=number(low=0),
            help="length of the mean, time constant of the average; 0 = none",
            default=EventRules.smoothing_seconds,
        ),
        Setting(
            name="enter",
            kind=number(low=0, high=1),
            help="smoothed probability from which on an event begins",
            default=EventRules.enter,
        ),
        Setting(
            name="leave",
            kind=number(low=0, high=1),
            help="smoothed probability below which it ends, at most enter",
            default=EventRules.leave,
        ),
        Setting(
            name="min_seconds",
            kind=number(low=0),
            help="how long it has lasted when it is told",
            default=EventRules.min_seconds,
        ),
        Setting(
            name="cooldown_seconds",
            kind=number(low=0),
            help="after an event, without another one of its class",
            default=EventRules.cooldown_seconds,
        ),
        Setting(
            name="num_threads",
            kind=whole(low=1),
            help="bundles: CPU threads that run the graphs",
            default_words="one a core",
        ),
        DEVICE,
    ),
    examples=(
        "python -m stvit_video.stream ckpt_path=run/best.ckpt source=yard.mp4 out=seen",
        "python -m stvit_video.stream ckpt_path=run/best.ckpt source=0 enter=0.7 min_seconds=1",
        "python -m stvit_video.stream ckpt_path=run/best.ckpt source=rtsp://host/path allow_addresses=true out=seen",
        "python -m stvit_video.stream bundle=run/bundle_onnx source=0 stride_frames=2 num_threads=2",
    ),
    notes="Exit status: 0 the source has ended or max_seconds are over, 1 it can't be read or read on, 2 a setting is "
    "wrong, 130 Ctrl-C.",
)


def stream(given: Given) -> None:
    """Follow the stream to its end.

    Raises:
        ValueError: BundleError, CheckpointError, a model that can't be computed step by step, or a wrong setting.
        DecodeError: the source can't be read, or read on.
        MissingLibraryError: a checkpoint is given and torch is not installed, or the bundle's runtime is not.
        OSError: a file can't be written; DiskFullError = there is no room.
    """
    rules = EventRules(**{field.name: getattr(given, field.name) for field in fields(EventRules)})
    model, digest = _of_bundle(given) if given.bundle is not None else _of_checkpoint(given)
    recognizer = StreamingRecognizer(model, given.stride_frames, given.target_fps)
    run = run_stream(
        recognizer,
        given.source,
        on_late=given.on_late,
        allow_addresses=given.allow_addresses,
        timeout_seconds=given.timeout_seconds,
        max_reconnects=given.max_reconnects,
        max_seconds=given.max_seconds,
    )
    with sigterm_ends():
        follow_stream(
            run,
            classes=recognizer.classes,
            multi_label=recognizer.multi_label,
            rules=rules,
            out=given.out,
            made_with={
                **digest,
                "stride_frames": given.stride_frames,
                "target_fps": given.target_fps,
                "on_late": given.on_late,
                **asdict(rules),
                **recognizer.preprocessing.to_dict(),
            },
        )


def _of_bundle(given: Given) -> tuple[Any, dict[str, Any]]:
    """What computes the steps, and what tells it from others."""
    refuse_fixed(vars(given))
    steps = load_bundle_steps(given.bundle, num_threads=given.num_threads)
    refuse_other_graph(steps.bundle, token_choices(given))
    return steps, {"bundle": file_digest(given.bundle / DESCRIPTION)}


def _of_checkpoint(given: Given) -> tuple[Any, dict[str, Any]]:
    """The same, of a checkpoint."""
    if given.num_threads is not None:
        raise ValueError(f"num_threads={given.num_threads} is for bundles; leave it out, or give bundle=")
    refuse_bundle(given.ckpt_path)
    load_optional("torch", needed_for="ckpt_path=", install=INSTALL_PACKAGE)
    from stvit_video.inference.recognizer import load_recognizer
    from stvit_video.predictions.checkpoint_digest import checkpoint_values

    recognizer = load_recognizer(given.ckpt_path, device=given.device, **token_choices(given))
    return recognizer, checkpoint_values(recognizer)


def main(arguments: Sequence[str] | None = None) -> int:
    """Follow a stream; gives the exit status."""
    return COMMAND.run(stream, arguments, failures=(DecodeError, MissingLibraryError, NonFiniteLogitsError))


if __name__ == "__main__":
    sys.exit(main())
