from stvit_video.data.decoding.video import READERS
from stvit_video.evaluation.view_average import AVERAGES
from stvit_video.inference.scoring import PRECISIONS
from stvit_video.utils import choices
from stvit_video.utils.choices import words_of


def test_words_are_those_that_the_parts_act_on():
    assert set(words_of(choices.Backend)) == {"auto", "isolated", *READERS}
    assert words_of(choices.Average) == AVERAGES
    assert words_of(choices.EvaluationPrecision) == tuple(PRECISIONS)
