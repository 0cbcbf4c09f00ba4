"""How much each class counts in the loss, as given or by how often the training videos show it."""

from collections.abc import Sequence

from stvit_video.data.manifests.manifest import Manifest


def class_weights(wanted: str | Sequence[float] | None, manifest: Manifest) -> tuple[float, ...] | None:
    """The weight of each class.

    Args:
        wanted: None = all alike; "balanced" = the rarer the heavier; or a weight for each class.
        manifest: the training videos.

    Returns:
        For classes with one label a video, what its videos count; "balanced" is N / (C * n_c) for n_c of N videos, so
        that all classes weigh the same together and the mean over the videos is 1. With several labels a video, what a
        video that has the label counts against one that has it not; "balanced" is (N - n_c) / n_c. None = all alike.

    Raises:
        ValueError: another number of weights than classes, or "balanced" where a class has no video, or with several
            labels a video each video has it.

    Source: "balanced" is scikit-learn's `compute_class_weight`, and for several labels torch's `pos_weight`.
    """
    if wanted is None:
        return None
    if not isinstance(wanted, str):
        given = tuple(float(weight) for weight in wanted)
        if len(given) != len(manifest.classes):
            raise ValueError(
                f"optim.class_weights has {len(given)} weights for {len(manifest.classes)} classes; give one for each, "
                f"in the order of the classes ({', '.join(manifest.classes[:3])}, ...), or balanced"
            )
        return given
    counts = count_videos(manifest)
    total = len(manifest.records)
    full = {total} if manifest.multi_label else set()
    without = [name for name, count in zip(manifest.classes, counts, strict=True) if count in {0} | full]
    if without:
        what = "no training video, or every one" if full else "no training video"
        raise ValueError(
            f"optim.class_weights=balanced has no weight for {len(without)} classes that {what} shows, such as "
            f"{', '.join(without[:3])}; give a list of weights, or null"
        )
    if manifest.multi_label:
        return tuple((total - count) / count for count in counts)
    return tuple(total / (len(counts) * count) for count in counts)


def count_videos(manifest: Manifest) -> list[int]:
    """Videos of each class; one with several labels counts for each of them."""
    counts = [0] * len(manifest.classes)
    for record in manifest.records:
        for label in record.labels:
            counts[label] += 1
    return counts
