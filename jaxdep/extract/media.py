"""Decodes recordings by FFmpeg: sound as mono samples, video as frames at a given rate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data.formats.files import GIB, check_file
from jaxdep.errors import BadFileError
from jaxdep.extract.packages import load

LONGEST = 4 * 3600.0
"""Longest recording that is read, in seconds; its sound is held in memory."""

PIXELS = 2**26
"""Largest picture that is decoded, in pixels: twice that of 8K video."""

LOWEST_AUDIO_RATE = 8000
"""Lowest sampling rate of a sound track in hertz, that of telephones."""

_LARGEST = 256 * GIB
_GAP = 0.1  # seconds without sound that are filled; smaller ones are rounding of time stamps
_DECLARING = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "wav", "flac")
"""Formats that declare their duration; FFmpeg estimates that of others from the bit rate."""


@dataclass(frozen=True)
class Frame:
    """What a video shows at one time.

    Attributes:
      time: seconds from the beginning of the recording.
      image: [height, width, 3] uint8, RGB; None before the first picture.
    """

    time: float
    image: np.ndarray | None


def audio(path: Path, rate: int) -> np.ndarray:
    """Decodes the first audio track of a recording.

    Args:
      path: file in any format that FFmpeg reads.
      rate: samples per second of the result.

    Returns:
      [samples] float32 in -1..1, the mean of all channels. Sample 0 is at the beginning of the
      recording: where the track begins later, or pauses, there are zeros.

    Raises:
      BadFileError: there is no such track, or it is damaged, too long, empty or silent.
    """
    av = load("av")
    with _opened(path) as container:
        stream = _only(container.streams.audio, "audio")
        if (found := stream.codec_context.sample_rate) < LOWEST_AUDIO_RATE:
            detail = f"{found} samples a second; at least {LOWEST_AUDIO_RATE} are needed"
            raise BadFileError("sampling rate too low", detail)
        resampler = av.AudioResampler(format="fltp", rate=rate)  # FFmpeg's mono is no mean
        start, parts, written = _start(container), [], 0
        for frame in _decoded(container, stream):
            time = written / rate if frame.time is None else frame.time - start
            _check_time(time)
            missing = round(time * rate) - written
            if missing > _GAP * rate:
                parts.append(np.zeros(missing, np.float32))
                written += missing
            for part in resampler.resample(frame):
                parts.append(part.to_ndarray().mean(0))
                written += len(parts[-1])
        if parts:
            parts += [part.to_ndarray().mean(0) for part in resampler.resample(None)]
        _check_complete(container, stream, written / rate)
    samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    if not len(samples):
        raise BadFileError("zero length", "the audio track has no samples")
    if not np.isfinite(samples).all():
        raise BadFileError("NaN or infinity", "in the audio track")
    if not samples.any():
        raise BadFileError("silent audio track", "all samples are zero")
    return samples


def frames(path: Path, rate: float) -> Iterator[Frame]:
    """Decodes the first video track of a recording; one picture is in memory at a time.

    Args:
      path: file in any format that FFmpeg reads.
      rate: frames per second of the result; the video must have as many.

    Yields:
      What the video shows in the middle of each interval of 1 / `rate` seconds, upright.

    Raises:
      BadFileError: there is no such track, or it is damaged, too long, too large or empty.
    """
    with _opened(path) as container:
        pictures = container.streams.video
        cover = load("av").stream.Disposition.attached_pic
        stream = _only([each for each in pictures if not each.disposition & cover], "video")
        stream.thread_type = "AUTO"
        _check_size(stream.codec_context)
        own = float(stream.average_rate or rate)
        if own < 0.99 * rate:
            detail = f"{own:g} frames a second; {rate:g} were asked for"
            raise BadFileError("frame rate too low", detail)
        start, shown, end, count = _start(container), None, 0.0, 0
        for frame in _decoded(container, stream):
            time = end if frame.time is None else frame.time - start
            _check_time(time)
            while (count + 0.5) / rate < time:
                yield Frame((count + 0.5) / rate, _rgb(shown))
                count += 1
            _check_size(frame)
            length = frame.duration * float(frame.time_base) if frame.duration else 1 / own
            shown, end = frame, time + length
        _check_complete(container, stream, end)
        if shown is None:
            raise BadFileError("zero length", "the video track has no frames")
        while (count + 0.5) / rate < end:
            yield Frame((count + 0.5) / rate, _rgb(shown))
            count += 1


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    av = load("av")
    if not check_file(path, Path(path.resolve().anchor), _LARGEST):
        raise BadFileError("zero length", "an empty file")
    try:
        # Playlists name other files and addresses, which are not to be opened.
        only_files = {"protocol_whitelist": "file"}
        with av.open(f"file:{path}", options=only_files, metadata_errors="replace") as container:
            yield container
    except (av.FFmpegError, EOFError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__  # not the file's path
        raise BadFileError("corrupt file", reason) from None


def _only(streams: Any, kind: str) -> Any:
    if not streams:
        raise BadFileError(f"no {kind} track")
    return streams[0]


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    yield from container.decode(stream)


def _start(container: Any) -> float:
    """Time stamp of the beginning of the recording, in seconds."""
    return (container.start_time or 0) / 1e6


def _check_time(time: float) -> None:
    if time > LONGEST:
        detail = f"{time:.0f} s; the limit is {LONGEST:.0f} s"
        raise BadFileError("recording too long", detail)


def _check_size(picture: Any) -> None:
    if picture.width * picture.height > PIXELS:
        raise BadFileError("picture too large", f"{picture.width} x {picture.height} pixels")


def _check_complete(container: Any, stream: Any, decoded: float) -> None:
    if container.format.name not in _DECLARING:
        return
    if stream.duration:
        declared = float(stream.duration * stream.time_base)
    else:
        declared = (container.duration or 0) / 1e6
    if declared - decoded > max(2.0, 0.1 * declared):
        detail = f"{stream.type} ends after {decoded:.1f} s; the file declares {declared:.1f} s"
        raise BadFileError("truncated file", detail)


def _rgb(frame: Any) -> np.ndarray | None:
    if frame is None:
        return None
    image = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90) % 4))
