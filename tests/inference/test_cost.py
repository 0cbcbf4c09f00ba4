from stvit_video.inference.cost import measure_cost, measure_speed
from stvit_video.inference.recognizer import load_recognizer


def test_cost_of_a_clip_and_of_a_video(tiny_run):
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu")
    cost = measure_cost(recognizer)
    assert cost["num_parameters"] == sum(parameter.numel() for parameter in tiny_run.model.parameters())
    assert cost["gmacs_per_video"] == 6 * cost["gmacs_per_view"] > 0  # 2 clips of 3 crops
    assert measure_cost(recognizer, of_videos=False).keys() == cost.keys() - {"gmacs_per_video"}
    fewer = load_recognizer(tiny_run.checkpoint, device="cpu", num_tokens=1)
    assert measure_cost(fewer)["gmacs_per_view"] < cost["gmacs_per_view"]


def test_speed_is_a_rate(tiny_run):
    assert measure_speed(load_recognizer(tiny_run.checkpoint, device="cpu")) > 0
