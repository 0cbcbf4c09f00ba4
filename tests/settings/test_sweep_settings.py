from stvit_video.settings.sweep_settings import SweepSettings


def test_extra_jobs_are_a_text_or_a_list_of_texts():
    assert SweepSettings().extras == []
    assert SweepSettings(also="a=1 b=2").extras == ["a=1 b=2"]
    assert SweepSettings.model_validate({"also": ["a=1", "b=2"]}).extras == ["a=1", "b=2"]
