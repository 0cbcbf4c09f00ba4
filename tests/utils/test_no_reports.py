"""The switch is set for as long as it is needed, and the library that reports obeys it."""

import os

import pytest

from stvit_video.utils.no_reports import SWITCH, without_reports


@pytest.mark.parametrize("before", [None, "false"])
def test_the_environment_is_as_before(monkeypatch, before):
    monkeypatch.delenv(SWITCH, raising=False)
    if before is not None:
        monkeypatch.setenv(SWITCH, before)
    with without_reports():
        assert os.environ[SWITCH] == "true"
    assert os.environ.get(SWITCH) == before


def stopped():
    with without_reports():
        raise KeyboardInterrupt


def test_also_where_the_work_was_stopped(monkeypatch):
    monkeypatch.delenv(SWITCH, raising=False)
    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert SWITCH not in os.environ


@pytest.mark.deploy
def test_the_library_that_reports_obeys(monkeypatch):
    from openvino.tools.ovc.telemetry_utils import init_ovc_telemetry

    for name in (SWITCH, "TF_BUILD", "JENKINS_URL"):
        monkeypatch.delenv(name, raising=False)
    with without_reports():
        assert not init_ovc_telemetry(app_name="a test").consent
