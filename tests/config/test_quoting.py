"""The forms that an error shows, read by a real shell grammar and by Hydra."""

import shlex

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser

from stvit_video.config.quoting import quoted_for_shell, unreadable_overrides
from stvit_video.settings.paths import CONF_DIR

ODD_VALUES = (
    *("/data/my videos (1)/a=b", "epoch=3.ckpt", "/données", "/视频/ω", "/\U0001f3ac", '/a"b', "it's", "/a\"b'c"),
    *("/a[1]", "[x] y", "{a}", "/a,b", "/a;b", "/a&b", "/a#b", "~/x", "/a!b", "<x>", "/a`b", " x ", "12", "null"),
    *("x(1)", "C:\\(x)\\", "/a/b\\", "/a\\'b(", "/a/${b", "\\\\server\\(1)"),
)


@pytest.mark.parametrize("value", ODD_VALUES)
def test_what_is_shown_reaches_the_setting_as_it_is(value):
    [word] = shlex.split(quoted_for_shell("data.root", value))
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        assert compose("doctor", overrides=[word]).data.root == value


def test_references_to_other_settings_stay_such():
    [word] = shlex.split(quoted_for_shell("data.root", "${oc.env:HOME}/x (1)"))
    assert OverridesParser.create().parse_override(word).value() == "${oc.env:HOME}/x (1)"


@pytest.mark.parametrize("text", ["data.root=/data/my videos (1)/a=b", "+ckpt_path=epoch=3.ckpt", "data.root=/données"])
def test_a_value_that_needs_quotes_is_told_with_them(text):
    [fault] = unreadable_overrides(["data=folder", text, "seed=1"], multirun=False)
    key, _, value = text.partition("=")
    assert fault.startswith(f"{text} can't be read, a value with ")
    assert fault.endswith(f"; write {quoted_for_shell(key, value)}")


def test_several_values_where_one_is_wanted():
    [fault] = unreadable_overrides(["data.root=/a,b"], multirun=False)
    assert "'data.root=\"/a,b\"' for one text" in fault
    assert "'data.root=[/a,b]' for a list" in fault
    assert unreadable_overrides(["data.root=/a,b"], multirun=True) == []


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("data.root=/a (1),/b é", '\'data.root="/a (1)","/b é"\' for several runs with -m'),
        ("parts=[é,b]", '\'parts=["é","b"]\' for several values'),
    ],
)
def test_items_are_quoted_one_by_one(text, form):
    [fault] = unreadable_overrides([text], multirun=True)
    assert fault.endswith(f"or {form}")
    [word] = shlex.split(form.removesuffix(" for several values").removesuffix(" for several runs with -m"))
    assert OverridesParser.create().parse_override(word)


def test_words_that_a_shell_has_split_off():
    [fault] = unreadable_overrides(["data=csv", "data.root=/my", "videos", "old/a", "seed=1"], multirun=False)
    assert fault.startswith("videos old/a is no setting; settings are key=value")
    assert fault.endswith("write 'data.root=/my videos old/a'")
    [fault] = unreadable_overrides(["data.root=/my", "videos (1)"], multirun=False)
    assert fault.endswith("write 'data.root=\"/my videos (1)\"'")
    [fault] = unreadable_overrides(["foo", "~seed"], multirun=False)
    assert fault.startswith("foo is no setting; settings are key=value")


def test_sound_overrides_have_no_fault():
    texts = ["data=csv", "+a.b=[x,y]", "~c", "data.root=/a b/c", 'd="é"', "++e=null", "data@f=csv"]
    assert unreadable_overrides(texts, multirun=False) == []
