import json

import pytest
from sweep_maker import make_run, make_runs

from stvit_video.sweeps.report.points import metric_of, points_of, read_run, telling


def test_runs_that_differ_in_the_seed_are_one_point():
    points = points_of(make_runs())
    assert [(point.series, point.label, point.runs) for point in points] == [
        ("stvit_video_deit_tiny, semantic", "16 tokens", ("0", "1")),
        ("stvit_video_deit_tiny, pool", "8 tokens", ("2",)),
        ("video_deit_tiny", "dense", ("3",)),
    ]
    assert [(point.count, point.setting) for point in points] == [("16 tokens", ""), ("8 tokens", ""), ("dense", "")]
    assert points[2].name == "video_deit_tiny dense"
    first = points[0]
    assert (first.quality.mean, first.quality.low, first.quality.high) == (0.5, 0.25, 0.75)
    assert (first.gmacs, first.speed, first.num_tokens) == (2.0, 40.0, 16)
    assert points[2].num_tokens is None


def test_what_counts_as_chance_can_be_chosen():
    assert len(points_of(make_runs(), chance=())) == 4
    runs = [make_run(str(n), f"ckpt_path=run{n}/last.ckpt", "model.num_tokens=8", tokens=8) for n in range(3)]
    assert [point.runs for point in points_of(runs, chance=("ckpt_path",))] == [("0", "1", "2")]
    assert [point.label for point in points_of(runs)] == [f"8 tokens, ckpt_path=run{n}/last.ckpt" for n in range(3)]


def test_labels_say_what_differs():
    runs = [
        make_run("0", "model.num_tokens=8", "model.generate_at=3", "optim.lr=0.1", tokens=8),
        make_run("1", "model.num_tokens=8", "model.generate_at=6", "optim.lr=0.1", tokens=8),
        make_run("2", "+model.elastic=[8,16]", "model.num_tokens=8", "model.generate_at=3", "optim.lr=0.1", tokens=8),
    ]
    labels = ["8 tokens, after block 3", "8 tokens, after block 6", "8 tokens, elastic=[8,16], after block 3"]
    assert [point.label for point in points_of(runs)] == labels


def test_a_dense_model_is_called_dense_not_by_the_settings_that_make_it_so():
    """As `sweep.also="model=video_deit_tiny model.num_tokens=null model.pool=mean"` adds it to a grid."""
    also = ("model=video_deit_tiny", "model.num_tokens=null", "model.pool=mean")
    slot = [make_run(str(n), f"model.num_tokens={n}", "optim.lr=0.1", tokens=n) for n in (1, 8)]
    dense = [make_run(f"d{n}", *also, f"optim.lr=0.{n}", reducer=None) for n in (1, 2)]
    labels = [point.label for point in points_of([*slot, *dense])]
    assert labels == ["1 token, optim.lr=0.1", "8 tokens, optim.lr=0.1", "dense, optim.lr=0.1", "dense, optim.lr=0.2"]
    pools = [make_run(pool, f"model.pool={pool}", reducer=None) for pool in ("mean", "class_token")]
    assert [point.label for point in points_of([*slot, *pools])][2:] == ["dense, pool=mean", "dense, pool=class_token"]
    assert [point.label for point in points_of(pools)] == ["pool=mean", "pool=class_token"]


def test_a_detector_with_tokens_whose_result_has_no_count_is_not_called_dense():
    run = make_run("0", tokens=None, reducer=None, model="stvit_r_casvit_xs")
    assert [point.label for point in points_of([run])] == [""]


def test_what_is_made_of_other_settings_is_not_told_again():
    starts = (r"init_from=init/$\{model.reducer\}_$\{seed\}.ckpt", "init_from=dense_${seed}.ckpt", "init_from=a.ckpt")
    runs = [make_run(str(number), start, tokens=8) for number, start in enumerate(starts)]
    assert [point.label for point in points_of(runs)] == ["8 tokens", "8 tokens", "8 tokens, init_from=a.ckpt"]


def test_one_point_for_counts_that_are_called_by_count_and_by_default():
    runs = [make_run("0", "seed=0", tokens=16), make_run("1", "seed=1", tokens=8)]
    assert [point.label for point in points_of(runs)] == ["16 tokens", "8 tokens"]


def test_overrides_that_tell_nothing():
    texts = ("hydra.verbose=true", "hydra/job_logging=none", "sweep.name=a", "+seed=3", "data.fold=1", "seeds=3", "a=1")
    assert telling(texts, ("seed", "data.fold")) == ("seeds=3", "a=1")


def test_the_metric_is_one_that_all_have():
    labels = make_run("1", mean_average_precision=0.3)
    several = type(labels)("1", (), {key: value for key, value in labels.result.items() if key != "top1"})
    assert metric_of([make_run("0")]) == "top1"
    assert metric_of([several, several]) == "mean_average_precision"
    cost = {key: labels.result[key] for key in ("model", *labels.costs)}
    over_time = type(labels)("2", (), cost | {"frame_accuracy": 0.4, "f1_25": 0.3})
    assert metric_of([over_time]) == "frame_accuracy"
    unknown = type(labels)("3", (), over_time.result | {"frame_mean_average_precision": None, "f1_25": float("nan")})
    assert metric_of([unknown]) == "frame_accuracy"
    assert "f1_25" not in points_of([unknown])[0].more
    assert points_of([over_time])[0].more["f1_25"].mean == 0.3
    with pytest.raises(
        ValueError, match="one label a video, others several, find objects or label pixels; report them apart"
    ):
        metric_of([make_run("0"), several])
    with pytest.raises(ValueError, match="not one run has a result"):
        metric_of([])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no result.json"),
        ("{", "result.json can't be read"),
        ("[1]", "is no result of a training or evaluation; it needs model, gmacs_per_view"),
        ('{"model": "m", "gmacs_per_view": 1}', "it needs model, gmacs_per_view, inference_clips_per_second"),
        ('{"model": "m", "gmacs_per_view": 0, "inference_clips_per_second": 2}', "gmacs_per_view 0, .*above 0"),
        ('{"model": "m", "gmacs_per_view": 1, "inference_clips_per_second": NaN}', "_per_second nan, .*above 0"),
        ('{"model": "m", "gmacs_per_view": 1, "inference_clips_per_second": null}', "_per_second None, .*above 0"),
        ('{"model": "m", "gmacs_per_view": 1, "inference_clips_per_second": 2}', "has none of top1, mean_ave"),
        ('{"model": "m", "gmacs_per_view": 1, "inference_clips_per_second": 2, "top1": NaN}', "as a number"),
    ],
)
def test_damaged_results_are_named(tmp_path, text, words):
    if text is not None:
        (tmp_path / "result.json").write_text(text)
    with pytest.raises(ValueError, match=words):
        read_run(tmp_path, ())


def test_a_run_is_read(tmp_path):
    run = make_run("7", "a=1")
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "result.json").write_text(json.dumps(run.result))
    assert read_run(tmp_path / "7", ("a=1",)) == run
