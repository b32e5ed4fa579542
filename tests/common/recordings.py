"""Recordings made for tests: a photograph of a face that moves, with synthesised sound."""

from fractions import Fraction

import numpy as np

SOUND = 16_000


def astronaut(size=512):
    """A photograph of a face, [size, size, 3] uint8, from NASA; scikit-image carries it."""
    from skimage import data, transform

    image = data.astronaut()
    if size == len(image):
        return image
    small = transform.resize(image, (size, size), anti_aliasing=True)
    return (255 * np.asarray(small)).astype(np.uint8)


def voice(seconds, rate=SOUND, seed=0):
    """A tone of 150 Hz with overtones, which swells and pauses, and noise; [samples] float32."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = 150 + 10 * np.sin(2 * np.pi * time)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    tone = np.sum([np.sin(k * phase) / k for k in range(1, 8)], 0)
    loud = 0.2 * (1 + np.sin(2 * np.pi * 0.7 * time)) * (np.sin(2 * np.pi * 0.3 * time) > -0.8)
    noise = np.random.default_rng(seed).normal(size=len(time))
    return (0.5 * loud * tone + 0.005 * noise).astype(np.float32)


def moved(image, seconds):
    """The photograph shifted along a circle of 20 pixels, once in four seconds."""
    angle = 2 * np.pi * seconds / 4
    return np.roll(image, (round(20 * np.sin(angle)), round(20 * np.cos(angle))), (0, 1))


def write(path, picture=None, sound=None, seconds=6.0, fps=10, lossless=True):
    """Writes a recording.

    Args:
      path: file, whose suffix names the format.
      picture: function from seconds to [height, width, 3] uint8; None for no video track.
      sound: [samples] float32 at `SOUND`; None for no audio track.
      seconds: length of the video.
      fps: frames per second.
      lossless: whether pictures and samples can be read back bit by bit.
    """
    import av

    with av.open(str(path), "w") as container:
        if picture is not None:
            video = container.add_stream("libx264rgb" if lossless else "libx264", rate=fps)
            video.height, video.width = picture(0.0).shape[:2]
            video.pix_fmt = "rgb24" if lossless else "yuv420p"
            quality = {"qp": "0"} if lossless else {"crf": "20"}
            video.options = {"preset": "ultrafast", **quality}
        if sound is not None:
            codec = "pcm_s16le" if lossless else "aac"
            track = container.add_stream(codec, rate=SOUND, layout="mono")
        if picture is not None:
            for number in range(round(seconds * fps)):
                frame = av.VideoFrame.from_ndarray(picture(number / fps), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, fps)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        if sound is not None:
            whole = np.clip(sound * 32768, -32768, 32767).astype(np.int16)
            for start in range(0, len(whole), 1024):
                part = whole[None, start : start + 1024]
                frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
                frame.sample_rate, frame.pts = SOUND, start
                frame.time_base = Fraction(1, SOUND)
                container.mux(track.encode(frame))
            container.mux(track.encode(None))
    return path


def talking(path, seconds=6.0, fps=10, **options):
    """Writes a recording of a moving face with sound."""
    image = astronaut()
    picture = lambda time: moved(image, time)
    return write(path, picture, voice(seconds), seconds, fps, **options)


if __name__ == "__main__":  # writes recordings for `python -m jaxdep.benchmarks.extract`
    import sys

    for name in sys.argv[2:]:
        talking(name, float(sys.argv[1]), fps=25, lossless=False)
