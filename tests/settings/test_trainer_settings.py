import pytest
from pydantic import ValidationError

from stvit_video.settings.trainer_settings import TrainerSettings


@pytest.mark.parametrize("precision", ["auto", "32-true", "bf16-mixed", "32", 32, 16])
def test_precisions_as_lightning_names_them_or_as_numbers(precision):
    assert TrainerSettings(precision=precision).precision == precision


@pytest.mark.parametrize("precision", ["8-bit", 8, None, 32.5])
def test_other_precisions(precision):
    with pytest.raises(ValidationError):
        TrainerSettings(precision=precision)
