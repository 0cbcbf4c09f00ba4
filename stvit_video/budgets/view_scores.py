"""What settings say of one video: the model runs once for each different view, and settings share its logits."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from stvit_video.budgets.memory import NoMemoryError, in_halves
from stvit_video.budgets.shared_views import SharedViews, View
from stvit_video.data.transforms.device_transform import DeviceTransform
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.inference.run_settings import RunSettings, run_with
from stvit_video.inference.test_protocol import MAX_VIEWS_PER_FORWARD
from stvit_video.inference.trained_model import TrainedModel

Group = tuple[object, ...]  # settings whose views go through the model alike


def group_of(settings: RunSettings) -> Group:
    """What decides how the model sees a view."""
    return settings.num_tokens, settings.generate_at, settings.num_frames, settings.crop_size


@dataclass
class ViewScores:
    """Scores of settings for videos.

    Attributes:
        trained: the checkpoint; its model is set to each setting in turn.
        views_at_once: most views that go through the model together; fewer, for a group whose views did not fit.
        lost: why the settings of a group can't be run.
    """

    trained: TrainedModel
    views_at_once: dict[Group, int] = field(default_factory=dict)
    lost: dict[Group, str] = field(default_factory=dict)

    def of_video(self, video: SharedViews, settings: Mapping[int, RunSettings], *, name: str) -> dict[int, Tensor]:
        """Probabilities (num_classes,) of a video by the number of the setting; without those of a lost group.

        Args:
            video: its frames.
            settings: by number.
            name: of the video, for an error.

        Raises:
            NonFiniteLogitsError: the model gives NaN or infinity.
        """
        scores: dict[int, Tensor] = {}
        for group, mine in _by_group(settings):
            if group in self.lost:
                continue
            views = {number: video.views_of(one) for number, one in mine.items()}
            wanted = [view for own in views.values() for view in own]
            try:
                logits = self._logits(video, group, next(iter(mine.values())), wanted)
            except NoMemoryError as error:
                self.lost[group] = str(error)
                continue
            for number, own in views.items():
                of_views = torch.stack([logits[view] for view in own])  # (V, num_classes)
                if not torch.isfinite(of_views).all():
                    raise NonFiniteLogitsError(f"the model gives NaN or infinite logits for {name} with {mine[number]}")
                scores[number] = self.trained.view_probabilities(of_views[None])[0]
        return scores

    def _logits(self, video: SharedViews, group: Group, one: RunSettings, views: Sequence[View]) -> dict[View, Tensor]:
        """Logits (num_classes,) of each different view."""
        run = run_with(self.trained, one)
        prepare = DeviceTransform(run.preprocessing)

        def work(pixels: Tensor) -> Tensor:
            with torch.inference_mode():
                logits: Tensor = run.model(prepare(pixels.to(run.device)))  # (n, num_classes)
            return logits.float().cpu()

        different = list(dict.fromkeys(views))
        at_once = self.views_at_once.get(group, MAX_VIEWS_PER_FORWARD)
        parts: list[Tensor] = []
        for start in range(0, len(different), MAX_VIEWS_PER_FORWARD):  # pixels of so many are in memory
            pixels = video.cut_all(different[start : start + MAX_VIEWS_PER_FORWARD])  # (n, 3, T, H, W)
            part, fitted = in_halves(work, pixels, at_once=at_once)
            if fitted < at_once:
                at_once = self.views_at_once[group] = fitted
            parts.append(part)
        return dict(zip(different, torch.cat(parts), strict=True))


def _by_group(settings: Mapping[int, RunSettings]) -> Iterator[tuple[Group, dict[int, RunSettings]]]:
    groups: dict[Group, dict[int, RunSettings]] = defaultdict(dict)
    for number, one in settings.items():
        groups[group_of(one)][number] = one
    return iter(groups.items())
