"""Expansion against Hydra's own sweeper, and the extra jobs by hand."""

import re

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.sweeper import Sweeper

from stvit_video.settings.paths import CONF_DIR
from stvit_video.sweeps.expand import differing, expand, expand_extra, parse_axes, quoted


@pytest.fixture
def parser():
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        yield OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())


@pytest.mark.parametrize(
    "overrides",
    [
        ["a=1,2,3", "b=10,20"],
        ["b=10,20", "a=1,2,3", "c=5"],
        ["model.num_tokens=16,32,64", "model.generate_at=3,4,6", "model.reducer=semantic,random,pool,tome"],
        ["model.num_tokens=range(8,33,8)", "optim.lr=choice(1e-3,2e-3)", "+experiment=quickstart,photo_motion"],
        ["model=glob(stvit_video_deit_*,exclude=*base)", "seed=range(3)"],
        ["data.root=${oc.env:HOME}/x,/b", "data.train='a b.csv','c,d.csv'", 'data.val="it\'s.csv"'],
        ["model.num_tokens=[1,4,4],[2,4,4]", "~augment", "++trainer.max_epochs=3", "augment@other=none,swin"],
        ["a=1,2", "a=7"],
        ["a=1", "b=2,3", "a=4,5"],
        ["a=null,true,1.50", "b={x:1,y:[2,3]}", "c="],
        ["data.train=C:\\dir\\x.csv,\\\\y", "seed=sort(3,1,2,reverse=true)"],
        ["data.shards=\"a/{000..099}.tar\",'b\\'c'"],
    ],
)
def test_expansion_equals_hydras(parser, overrides):
    parsed = parser.parse_overrides(overrides)
    ours = [list(job) for job in expand(parse_axes(parsed))]
    (sweeper,) = [found for found in Plugins.instance().discover(Sweeper) if found.__name__ == "BasicSweeper"]
    theirs = sweeper.split_arguments(parser.parse_overrides(overrides), None)[0]
    assert ours == [[text.replace("~augment=null", "~augment") for text in job] for job in theirs]
    assert len(ours) >= 1


def test_what_comes_out_can_be_parsed_again(parser):
    overrides = ["data.root=${oc.env:HOME}/x,/b", "data.train='a b.csv','c,d.csv'", "model.num_tokens=[1,4,4],8"]
    jobs = expand(parse_axes(parser.parse_overrides(overrides)))
    values = [[override.value() for override in parser.parse_overrides(list(job))] for job in jobs]
    assert values[1] == ["${oc.env:HOME}/x", "a b.csv", 8]
    assert [value for _, _, value in values] == [[1, 4, 4], 8] * 4


def test_a_sweep_without_an_end_is_refused(parser):
    with pytest.raises(HydraException, match=r"optim.lr=interval\(0,1\) .*no end of values"):
        parse_axes(parser.parse_overrides(["optim.lr=interval(0,1)"]))
    with pytest.raises(HydraException, match="^model .*no value"):
        parse_axes(parser.parse_overrides(["model=glob(nothing_*)"]))


def test_extra_jobs_go_through_the_seeds_but_not_through_the_models_axes(parser):
    axes = parse_axes(
        parser.parse_overrides(["data=csv", "model.num_tokens=8,16", "model=a,b", "seed=0,1", "data.fold=2,3", "x=1"])
    )
    jobs = expand_extra(axes, "model=dense model.pool=mean x=7", parser=parser)
    assert jobs == [
        ("data=csv", f"seed={seed}", f"data.fold={fold}", "x=7", "model=dense", "model.pool=mean")
        for seed in (0, 1)
        for fold in (2, 3)
    ]
    with_sweep = expand_extra(axes, "model=dense,other seed=5", parser=parser)
    assert len(with_sweep) == 4
    assert {job[1] for job in with_sweep} == {"seed=5"}


@pytest.mark.parametrize("extra", ["", "  ", 3, None])
def test_extra_jobs_without_overrides_are_refused(parser, extra):
    with pytest.raises(ValueError, match=rf"sweep.also={re.escape(repr(extra))} .*overrides"):
        expand_extra({}, extra, parser=parser)


def test_what_differs_by_hand():
    assert differing([("a=1", "b=2", "c=3"), ("a=1", "b=5", "c=3")]) == [("b=2",), ("b=5",)]
    assert differing([("a=1",)]) == [("a=1",)]
    assert differing([("a=1", "b=2"), ("a=1",)]) == [("b=2",), ()]


@pytest.mark.parametrize("text", ["plain/folder", "it's", 'a "b" c', "back\\slash", "a=b, [c]", "ends\\"])
def test_quoted_texts_come_out_as_they_went_in(text):
    assert OverridesParser.create().parse_override(f"a={quoted(text)}").value() == text
