from stvit_video.evaluation.streaming.alarms import detection_delay, false_alarms
from stvit_video.evaluation.streaming.labelled_time import LabelledSegment, LabelledTime
from stvit_video.evaluation.streaming.segment_f1 import FoundEvent

FALL = LabelledSegment("fall", 10.0, 12.0)
TRUTH = LabelledTime.of([LabelledSegment("walk", 2.0, 10.0), FALL, LabelledSegment("sit", 20.0, 30.0)])


def alarm(start, end, decided, label="fall"):
    return FoundEvent(label, start, end, decided, 0.9)


def test_the_first_alarm_that_touches_counts():
    assert detection_delay(FALL, [alarm(11.0, 14.0, 11.5), alarm(10.5, 10.9, 10.8)]) == 10.8 - 10.0
    assert detection_delay(FALL, [alarm(11.9, 15.0, 14.0)]) == 4.0  # told after the end, of what began within


def test_an_alarm_that_was_told_before_has_no_delay():
    assert detection_delay(FALL, [alarm(5.0, 10.5, 6.0)]) == 0.0


def test_what_does_not_touch():
    assert detection_delay(FALL, []) is None
    assert detection_delay(FALL, [alarm(5.0, 10.0, 6.0), alarm(12.0, 14.0, 13.0)]) is None
    assert detection_delay(FALL, [alarm(10.0, 12.0, 11.0, label="walk")]) is None


def test_the_tolerance_reaches_beyond_both_ends():
    assert detection_delay(FALL, [alarm(12.5, 14.0, 13.0)], tolerance_seconds=1.0) == 3.0
    assert detection_delay(FALL, [alarm(5.0, 9.5, 6.0)], tolerance_seconds=1.0) == 0.0
    assert detection_delay(FALL, [alarm(13.0, 14.0, 13.5)], tolerance_seconds=1.0) is None


def test_false_alarms_in_labelled_time():
    right, early, elsewhere = alarm(11.0, 14.0, 11.5), alarm(5.0, 7.0, 6.0), alarm(21.0, 22.0, 21.5)
    unknown, other = alarm(14.0, 16.0, 15.0), alarm(11.0, 11.5, 11.2, label="sit")
    found = false_alarms([right, early, elsewhere, unknown, other], TRUTH)
    assert found == [early, elsewhere, other]
    assert false_alarms([alarm(8.0, 9.5, 9.0)], TRUTH) == [alarm(8.0, 9.5, 9.0)]
    assert false_alarms([alarm(8.0, 9.5, 9.0)], TRUTH, tolerance_seconds=1.0) == []
