"""Figures of rows, worked out by hand."""

import json
from statistics import quantiles

import pytest
from speed_rows import measured_rows

from stvit_video.model_benchmark.row_timing import MATRIX_SIZE
from stvit_video.model_benchmark.speed_result import operations_per_second, percentile, results_of

PRODUCT = 2 * MATRIX_SIZE**3 / 10  # operations a second of the fastest product


def test_rows_by_batch_size_in_order():
    results = results_of(measured_rows())
    assert [(row.label, row.asked_batch_size) for row in results] == [
        (label, size) for size in (1, 2) for label in ("deit_tiny", "ours, after 1", "peer", "absent")
    ]
    assert [row.is_ours for row in results[:4]] == [True, True, False, False]


def test_the_figures_of_a_row():
    ours = results_of(measured_rows())[5]
    assert (ours.batch_size, ours.num_passes, ours.tokens) == (2, 3, (15, 3))
    assert ours.items_per_second == pytest.approx(2 / 2)
    assert (ours.cpu_seconds_min, ours.cpu_seconds_median, ours.wall_seconds_median) == pytest.approx((1.0, 1.5, 3.0))
    assert ours.matrix_share == pytest.approx(2 * 0.1e9 * 1.0 / PRODUCT)
    assert (ours.ratio, ours.ratio_of_medians) == pytest.approx((4.0, 4.0))
    assert ours.peak_bytes == 2 * 10**8
    assert ours.latency_p50 is None


def test_latency_is_wall_time_of_single_inputs():
    dense = results_of(measured_rows())[0]
    assert dense.latency_p50 == pytest.approx(12.0)
    assert dense.latency_p95 == pytest.approx(quantiles([8.0, 12.0, 16.0], n=20, method="inclusive")[-1])


def test_with_several_threads_wall_time_counts():
    ours = results_of(measured_rows(threads=2))[1]
    assert ours.items_per_second == pytest.approx(0.5)
    assert ours.cpu_seconds_min == pytest.approx(1.0)
    assert ours.matrix_share == pytest.approx(2 * 0.1e9 * 0.5 / (PRODUCT / 3))


def test_a_training_step_has_the_operations_of_three_passes_and_no_latency():
    ours = results_of(measured_rows(is_training=True))[1]
    assert ours.matrix_share == pytest.approx(3 * 2 * 0.1e9 / PRODUCT)
    assert ours.latency_p50 is None


def test_failures_and_notes():
    *_, peer, absent = results_of(measured_rows())
    assert (peer.notes, peer.input_size, peer.ratio) == (("at its own size",), (24, 24), None)
    assert (absent.failure, absent.items_per_second, absent.ratio) == ("timm is gone", None, None)
    measured = measured_rows()
    measured.entrants[0].timed[2].failure = "it broke"
    measured.entrants[1].timed[2].batch_size = 1
    results = results_of(measured)
    assert (results[4].failure, results[5].ratio) == ("it broke", None)
    assert results[5].notes == ("batch 2 does not fit into the memory; measured with 1",)
    measured.entrants[1].timed[1].cpu_seconds.clear()
    assert results_of(measured)[1].failure


def test_percentiles():
    values = [float(number) for number in range(101)]
    assert percentile(values, 50) == 50
    assert percentile(values, 95) == pytest.approx(95)
    assert percentile([3.0], 95) == 3.0


def test_no_products_no_share():
    measured = measured_rows()
    measured.matrix["fp32"].cpu_seconds.clear()
    assert operations_per_second(measured.matrix["fp32"], threads=1) is None
    assert results_of(measured)[0].matrix_share is None


def test_exported_models_have_a_difference_and_in_8_bits_no_share():
    measured = measured_rows()
    measured.entrants[1].precision, measured.entrants[1].logit_difference = "int8", 0.02
    ours = results_of(measured)[-2]
    assert (ours.precision, ours.logit_difference, ours.matrix_share) == ("int8", 0.02, None)
    assert ours.items_per_second == pytest.approx(1.0)


def test_rows_are_json():
    message = json.loads(json.dumps(results_of(measured_rows())[1].as_message()))
    assert message["options"]["generate_at"] == 1
    assert message["ratio"] == pytest.approx(4.0)
