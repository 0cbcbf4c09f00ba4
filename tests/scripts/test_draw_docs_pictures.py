from pathlib import Path

from PIL import Image

TOP = Path(__file__).parents[2]


def test_the_points_are_those_of_the_table_and_of_the_page(script):
    points = script.read_points()
    assert {slot: len(found) for slot, found in points.items()} == {
        **dict.fromkeys(("semantic", "tome", "pool", "random"), 4),
        "dense": 1,
    }
    assert points["dense"] == [(256, 0.237528, 0.9083, 0.0426)]
    assert points["semantic"][0] == (8, 0.0869441, 0.9806, 0.0059)
    page = (TOP / "docs" / "results" / "photo_motion.md").read_text(encoding="utf-8")
    for found in points.values():
        for _, _, top1, deviation in found:
            assert f"{top1:.3f} ± {deviation:.3f}" in page.replace("**", "")


def test_the_words_of_the_plot_do_not_cover_one_another(script):
    figure = script.draw_pareto()
    renderer = figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert len(boxes) == 10
    covered = [(one, other) for place, one in enumerate(boxes) for other in boxes[:place] if one.overlaps(other)]
    assert covered == []


def test_the_points_of_places_are_those_of_the_page(script):
    page = (TOP / "docs" / "results" / "place_of_generation.md").read_text(encoding="utf-8")
    points = script.read_places()
    for name in script.SETS:
        for series in script.LINES:
            for place, share, top1, deviation in points[name][series]:
                accuracy = f"{top1:.3f} ± {deviation:.3f}" if deviation else f"{top1:.3f}"
                start = f"| {place} block" if place else "| dense"
                (row,) = [
                    line for line in page.splitlines() if line.startswith(start) and accuracy in line.replace("**", "")
                ]
                assert (f"| {share:.3f} |" if place else "| 1 |") in row


def test_the_words_of_the_picture_of_places_do_not_cover_one_another(script):
    figure = script.draw_places()
    renderer = figure.canvas.get_renderer()
    for axes in figure.axes:
        boxes = [text.get_window_extent(renderer) for text in axes.texts]
        assert len(boxes) in (len(script.WORDS_OF_PLACES), 4)
        assert [(one, other) for place, one in enumerate(boxes) for other in boxes[:place] if one.overlaps(other)] == []
        assert all(box.x0 > 0 and box.x1 < figure.bbox.x1 for box in boxes)


def test_the_words_of_the_diagram_do_not_cover_one_another_and_stay_on_it(script):
    figure = script.draw_how_it_works()
    renderer = figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts if text.get_text()]
    assert [(one, other) for place, one in enumerate(boxes) for other in boxes[:place] if one.overlaps(other)] == []
    assert all(box.x0 > 0 and box.x1 < figure.bbox.x1 and box.y0 > 0 and box.y1 < figure.bbox.y1 for box in boxes)


def test_the_same_pictures_each_time_and_of_the_size_of_those_in_docs(script, tmp_path):
    assert script.main([f"out={tmp_path}/a"]) == script.main([f"out={tmp_path}/b"]) == 0
    for name in ("pareto.png", "how_it_works.png", "places.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        with Image.open(tmp_path / "a" / name) as drawn, Image.open(TOP / "docs" / "assets" / name) as kept:
            assert drawn.size == kept.size
            assert drawn.width == 1600
