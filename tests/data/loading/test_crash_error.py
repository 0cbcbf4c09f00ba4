import pickle

from stvit_video.data.loading.crash_error import WorkerCrashError


def test_it_says_which_videos_were_read_and_whether_a_process_was_lost():
    plain = WorkerCrashError("no room")
    assert (str(plain), plain.videos, plain.is_lost) == ("no room", (), False)
    lost = WorkerCrashError("a process was lost", videos=(3, 5), is_lost=True)
    copy = pickle.loads(pickle.dumps(lost))  # as it travels between processes
    assert (str(copy), copy.videos, copy.is_lost) == ("a process was lost", (3, 5), True)
