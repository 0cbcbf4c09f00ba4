"""The settings `sweep`: what `-m` asks for, a job for every combination of values."""

from typing import Annotated

from stvit_video.settings.declare import AsTuple, Count, Group, NonNegative, Positive, setting


class SweepSettings(Group):
    """What `-m` asks for."""

    name: str | None = setting(
        None, "the sweep lies in multirun/NAME; null = multirun/<date>/<time>, or goes on where it stopped"
    )
    also: str | Annotated[tuple[str, ...], AsTuple] = setting(
        (),
        "jobs beside the grid: overrides with spaces between, or a list of such. They choose their own model and go "
        "through those axes of the sweep that are not about the model, such as seed",
    )
    num_parallel: Count = setting(1, "jobs at once; the GPUs that are there are shared out among them")
    time_limit_minutes: Positive | None = setting(None, "of every job; null = none")
    grace_seconds: NonNegative = setting(30, "between SIGTERM and SIGKILL, for a job that is to end")

    @property
    def extras(self) -> list[str]:
        """The texts of `also`."""
        return [self.also] if isinstance(self.also, str) else list(self.also)
