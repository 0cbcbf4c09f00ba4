"""Results of runs that were never run, for the tests of the report of sweeps."""

from stvit_video.sweeps.report.points import Run


def make_run(name, *overrides, top1=0.4, gmacs=1.0, speed=10.0, tokens=16, reducer="semantic", **more):
    """A run of `stvit_video_deit_tiny`, or with `reducer=None` of the dense model."""
    result = {
        "model": "stvit_video_deit_tiny" if reducer else "video_deit_tiny",
        "reducer": reducer,
        "num_tokens": tokens if reducer else None,
        "top1": top1,
        "gmacs_per_view": gmacs,
        "inference_clips_per_second": speed,
        "hardware": "a processor",
        "commit": "abc",
        "speed_measured": {"date": "today"},
        **more,
    }
    return Run(name, tuple(overrides), result)


def make_runs():
    """Two seeds of 16 tokens, one of 8 by pooling, one dense."""
    return [
        make_run("0", "model.num_tokens=16", "seed=0", "x=1", top1=0.75, gmacs=2.0, speed=30.0),
        make_run("1", "model.num_tokens=16", "seed=1", "x=1", top1=0.25, gmacs=2.0, speed=50.0),
        make_run(
            "2", "model.num_tokens=8", "model.reducer=pool", "x=1", tokens=8, reducer="pool", top1=0.4, gmacs=1.95
        ),
        make_run("3", "model=video_deit_tiny", "x=1", reducer=None, top1=0.9, gmacs=7.0, speed=3.0),
    ]
