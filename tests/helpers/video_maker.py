"""Small encoded videos for the decoding tests, and the plain whole-file decode that they are checked against."""

from fractions import Fraction

import av
import numpy as np

CLOSED_GOP = {"g": "10", "bf": "3", "preset": "ultrafast"}
OPEN_GOP = {"x264-params": "keyint=10:min-keyint=10:open-gop=1:bframes=3:scenecut=0"}


def make_video(
    path,
    *,
    size=(98, 70),
    num_frames=35,
    options=None,
    codec="libx264",
    pixel_format="yuv420p",
    first_pts=0,
    rotation=None,
    num_streams=1,
    pts=None,
    muxing=None,
):
    """Encode moving noise, 25 frames a second or at the times `pts` (in 1/25 s).

    `size` is (width, height), `rotation` (degrees, mirrored); `muxing` are options of the container.
    """
    pts = range(num_frames) if pts is None else pts
    width, height = size
    noise = np.random.default_rng(0).integers(0, 255, (2 * height, 2 * width, 3), dtype=np.uint8)
    with av.open(str(path), "w", options=muxing) as container:
        streams = [container.add_stream(codec, rate=25) for _ in range(num_streams)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
            stream.options = dict(CLOSED_GOP if options is None else options)
            stream.codec_context.time_base = Fraction(1, 12800)
            if rotation is not None:
                stream.set_display_rotation(rotation[0], hflip=rotation[1])
        for number, time in enumerate(pts):
            picture = np.ascontiguousarray(noise[number % height :][:height, 2 * number % width :][:, :width])
            for stream in streams:
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixel_format)
                frame.pts, frame.time_base = first_pts + time * 512, Fraction(1, 12800)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


def remuxed(path, out, *, shift_pts=0, keep=lambda number: True):
    """Copy the packets of `path` that `keep` names (in stored order) without encoding, each `shift_pts` later."""
    with av.open(str(path)) as source, av.open(str(out), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.dts is not None and keep(number):
                packet.pts, packet.dts, packet.stream = packet.pts + shift_pts, packet.dts + shift_pts, stream
                container.mux(packet)
    return out


def as_rgb(frame):
    """One frame as the ffmpeg command makes it RGB, by the scaler that ffmpeg puts in by itself: (H, W, 3) uint8."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25))
    graph.link_nodes(source, graph.add("format", "rgb24"), graph.add("buffersink")).configure()
    graph.push(frame)
    return graph.pull().to_ndarray()


def plain_frames(path, *, clockwise_degrees=0):
    """Every frame that a plain decode from the start gives, turned clockwise, one by one: (H, W, 3) uint8."""
    with av.open(f"file:{path}") as container:
        for frame in container.decode(container.streams.best("video")):
            yield np.rot90(as_rgb(frame), -clockwise_degrees // 90)


def whole_file(path, *, clockwise_degrees=0):
    """All of `plain_frames` at once: (n, H, W, 3) uint8."""
    return np.stack(list(plain_frames(path, clockwise_degrees=clockwise_degrees)))
