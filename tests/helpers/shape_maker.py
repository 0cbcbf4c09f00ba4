"""Videos whose pictures have an odd shape: the size changes in mid-stream, or pixels are not square."""

from fractions import Fraction

import av
import numpy as np

SIZES = ((98, 70), (50, 34))  # (width, height) of the first and the second half
SPEED = {
    "libvpx": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
    "libx264": {"preset": "ultrafast", "bf": "0"},
}


def changing_size(path, *, codec="libvpx", sizes=SIZES, num_frames_each=6):
    """One stream, 25 frames a second, of as many halves as there are sizes, each from an encoder of its own."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=SPEED[codec])
        stream.width, stream.height, stream.pix_fmt = *sizes[0], "yuv420p"
        for half, size in enumerate(sizes):
            encoder = stream.codec_context if half == 0 else _encoder(codec, size)
            frames = [_frame(size, half * num_frames_each + number) for number in range(num_frames_each)]
            for packet in [packet for frame in (*frames, None) for packet in encoder.encode(frame)]:
                packet.stream, packet.time_base = stream, Fraction(1, 25)
                container.mux(packet)
    return path


def with_pixel_aspect(path, *, aspect=(64, 45), size=(72, 58), num_frames=5, codec="libx264", rotation=None):
    """Frames of `size` (width, height) stored pixels, each `aspect` (width : height)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=SPEED.get(codec, {}))
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(*aspect)
        if rotation is not None:
            stream.set_display_rotation(rotation)
        for number in range(num_frames):
            container.mux(stream.encode(_frame(size, number)))
        container.mux(stream.encode(None))
    return path


def _encoder(codec, size):
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = *size, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.options = Fraction(1, 25), 25, SPEED[codec]
    return encoder


def _frame(size, number):
    """A picture of large cells, which no encoder blurs away; another one for each number."""
    width, height = size
    cells = np.random.default_rng(number).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    rows, columns = np.arange(height) * 5 // height, np.arange(width) * 7 // width
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(cells[rows][:, columns]), format="rgb24")
    frame = frame.reformat(format="yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, 25)
    return frame
