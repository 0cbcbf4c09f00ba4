import pytest

from stvit_video.settings.optim_settings import OptimSettings


@pytest.mark.parametrize(("max_epochs", "warmup"), [(1, 1 / 6), (6, 1), (12, 2), (30, 5), (300, 5)])
def test_the_usual_warm_up_is_a_share_of_the_epochs(max_epochs, warmup):
    assert OptimSettings().num_warmup_epochs(max_epochs) == pytest.approx(warmup)
    assert warmup < max_epochs


def test_a_given_warm_up_is_as_given():
    assert OptimSettings(warmup_epochs=2.5).num_warmup_epochs(1) == 2.5
    assert OptimSettings(warmup_epochs=0).num_warmup_epochs(30) == 0
