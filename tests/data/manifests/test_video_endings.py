"""The known endings against the demuxers of the installed PyAV, and files of many containers against its decoder."""

import av
import numpy as np
import pytest

from stvit_video.data.decode import open_video
from stvit_video.data.layouts.class_folders import read_folder_manifest
from stvit_video.data.manifests.video_endings import USUAL, VIDEO_EXTENSIONS, describe_endings, is_video_file


def words(text):
    return text.split()


# what demuxers state beside the endings of videos
SOUND = words(
    """
    302 722 aa aa3 aac aax ac3 ac4 acm adf adp ads adx aea afc aif aifc aiff aix al amr ans apac apc ape apl apm
    aptx aptxhd argo_asf art asc ast au aud avr bcstm bfstm binka bit bonk brstm c2 caf cdata cvg daud dfpwm diz
    dsf dss dtk dts dtshd eac3 ec3 ffmeta fap fsb fwse flac g722 g723_1 g728 g729 genh gsm hca iamf ice ircam isma
    lbc lc3 laf loas m2a m4a m4b mac mca mka mlp mmf mp2 mp3 mpa mpc msbc msf mtaf musx nist nsp oma omg osq paf
    pcm pvf qoa ra rco rka rsd rso sb sbc sbg sdns sdr2 sds sdx sf shn sln son sox spdif sph ss2 str svag svs sw
    tak tco thd tta tun ub ul uw vag vb voc vpk vqe vqf vql w64 wa wav way wma wsd wv xmd xvag
    """
)
PICTURES = words(
    """
    avif bmp cdg dpx exr fits hdr heic heif ico idf im1 im24 im8 j2c j2k jls jp2 jpeg jpg jxl jxs ljpg mpo nfo pam
    pbm pcx pfm pgm pgmyuv phm pix png ppm qoi ras rs sgi sun sunras tga tif tiff vbn vt wbmp xbm xface xwd y
    """
)
TEXTS = words(
    """
    aqt ass idx js jss lrc mcc mks mpl2 pjs rt sami scc smi srt ssa stl sub sup txt vtt webvtt
    """
)
POINTING = ["ism", "m3u8", "xml"]  # lists of other files
WITHOUT_SIZE = ["bitpacked", "cif", "qcif", "rgb", "v210", "yuv", "yuv10"]  # raw pixels
OF_OTHERS = ["avs", "cgi", "dat", "ogg", "v", "xl"]  # scripts, data, tables; .ogg is looked into
WRITTEN = {  # ending -> container, codec
    ".MTS": ("mpegts", "libx264"),
    ".m2ts": ("mpegts", "libx264"),
    ".m2t": ("mpegts", "mpeg2video"),
    ".vob": ("vob", "mpeg2video"),
    ".mod": ("mpeg", "mpeg2video"),
    ".mpe": ("mpeg", "mpeg1video"),
    ".asf": ("asf", "wmv2"),
    ".3g2": ("3g2", "libx264"),
    ".F4V": ("mp4", "libx264"),
    ".qt": ("mov", "mpeg4"),
    ".divx": ("avi", "mpeg4"),
    ".ogv": ("ogg", "libtheora"),
    ".mxf": ("mxf", "mpeg2video"),
    ".gxf": ("gxf", "mpeg2video"),
    ".dv": ("dv", "dvvideo"),
    ".y4m": ("yuv4mpegpipe", "rawvideo"),
    ".nut": ("nut", "mpeg4"),
    ".ivf": ("ivf", "libvpx"),
    ".h264": ("h264", "libx264"),
    ".mjpeg": ("mjpeg", "mjpeg"),
    ".mk3d": ("matroska", "libx264"),
    ".wtv": ("wtv", "mpeg2video"),
    ".apng": ("apng", "apng"),
}


def demuxed_endings():
    found = set()
    for name in av.formats_available:
        container = av.ContainerFormat(name)  # of a container that is written, too, with the endings for that
        found |= container.extensions if container.is_input else set()
    return found


def test_whatever_is_demuxed_is_known_or_no_video():
    others = {*SOUND, *PICTURES, *TEXTS, *POINTING, *WITHOUT_SIZE, *OF_OTHERS}
    found = demuxed_endings()
    assert {"mts", "mxf", "vc1", "y4m"} <= found
    assert sorted(found - others - {ending[1:] for ending in VIDEO_EXTENSIONS}) == []
    assert not {f".{ending}" for ending in others} & set(VIDEO_EXTENSIONS)


def test_the_list_itself():
    assert len(set(VIDEO_EXTENSIONS)) == len(VIDEO_EXTENSIONS)
    assert all(ending == ending.lower() and ending.startswith(".") for ending in VIDEO_EXTENSIONS)
    assert set(USUAL) <= set(VIDEO_EXTENSIONS)


def write(path, container_format, codec):
    """Five frames of a moving ramp, of the size and rate that DV and GXF want."""
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = 720, 576
        stream.pix_fmt = {"apng": "rgb24", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
        for number in range(5):
            ramp = np.arange(576 * 720 * 3, dtype=np.uint32).reshape(576, 720, 3) // 700 + 9 * number
            container.mux(stream.encode(av.VideoFrame.from_ndarray(ramp.astype(np.uint8), format="rgb24")))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("ending", WRITTEN)
def test_containers_are_found_in_class_folders_and_read(tmp_path, ending):
    container_format, codec = WRITTEN[ending]
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no encoder {codec}")
    (tmp_path / "run").mkdir()
    write(tmp_path / "run" / f"a{ending}", container_format, codec)
    [record] = read_folder_manifest(tmp_path).records
    assert record.video_id == f"run/a{ending}"
    with open_video(str(record.path)) as video:
        assert video.read([0]).shape == (1, 576, 720, 3)


def test_an_ogg_is_a_video_where_it_holds_pictures(tmp_path):
    assert not is_video_file(tmp_path / "none.ogg")
    (tmp_path / "sound.ogg").write_bytes(b"OggS" + bytes(24) + b"\x01vorbis" + bytes(99))
    (tmp_path / "pictures.OGG").write_bytes(b"OggS" + bytes(24) + b"\x80theora" + bytes(99))
    assert [is_video_file(tmp_path / name) for name in ("sound.ogg", "pictures.OGG")] == [False, True]


def test_endings_in_words():
    names = [*(f"{n}.xyz" for n in range(12)), "a", "b.TXT"]
    assert describe_endings(names) == "12 end with .xyz, 1 has no ending, 1 ends with .TXT"
    many = [f"a.{chr(97 + n)}" for n in range(10)]
    assert describe_endings(many).endswith("1 ends with .h, 2 with others")
