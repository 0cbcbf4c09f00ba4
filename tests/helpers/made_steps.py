"""Steps of a stream that nobody computed, and the run that gives them, for tests of what is made of steps."""

import numpy as np

from stvit_video.streaming.run_stream import StreamRun
from stvit_video.streaming.stream_step import STAGES, Step, StreamSummary

__all__ = ["made_run", "made_steps"]


def made_steps(shares, *, distance=0.25, notes=None):
    """A step for each row of probabilities (n, K), each `distance` seconds after the one before.

    Args:
        shares: of the classes.
        distance: in seconds.
        notes: by the number of a step.
    """
    rows = np.asarray(shares, dtype=np.float32)
    return [
        Step(
            number=number,
            seconds=distance * (number + 4),
            window=(distance * number, distance * (number + 4)),
            probabilities=row,
            logits=np.log(np.maximum(row, 1e-9)),
            latency_seconds=0.004 * (number + 1),
            stages=dict.fromkeys(STAGES, 0.001 * (number + 1)),
            dropped=number % 3,
            note=(notes or {}).get(number, ""),
        )
        for number, row in enumerate(rows)
    ]


def made_run(steps, *, end_by=None, source="yard.mp4"):
    """A `StreamRun` of steps, and its list of what was closed.

    Args:
        steps: that it gives.
        end_by: an error that it ends by.
        source: its name.
    """
    summary, closed = StreamSummary(source=source, fps=16.0, frames_read=90, frames_chosen=80, frames_dropped=2), []

    def given():
        try:
            for step in steps:
                summary.num_steps, summary.source_seconds = step.number + 1, step.seconds
                yield step
            if end_by is not None:
                raise end_by
        finally:
            closed.append(True)

    return StreamRun(given(), summary), closed
