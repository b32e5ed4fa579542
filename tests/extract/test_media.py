"""Decoding: samples and pictures at the right times, and what is refused."""

import av
import numpy as np
import pytest
import recordings

from jaxdep.errors import BadFileError
from jaxdep.extract import media


def plain(time):
    return np.full((48, 64, 3), round(time * 10), np.uint8)


def test_samples_are_those_that_were_written(talking):
    samples = media.audio(talking, 16_000)
    assert samples.dtype == np.float32
    assert len(samples) == 6 * 16_000
    np.testing.assert_allclose(samples, recordings.voice(6.0), atol=1 / 32767)


def test_samples_are_resampled(talking):
    samples = media.audio(talking, 8_000)
    assert abs(len(samples) - 6 * 8_000) <= 2
    found = np.abs(np.fft.rfft(samples[:8000]))
    assert abs(int(found[50:400].argmax()) + 50 - 150) <= 12  # the tone, in hertz


def test_channels_are_averaged(tmp_path):
    left, right = np.full(16_000, 0.5), np.full(16_000, 0.1)
    whole = (np.stack([left, right], 1).reshape(1, -1) * 32768).astype(np.int16)
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        track = container.add_stream("pcm_s16le", rate=16_000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(whole, format="s16", layout="stereo")
        frame.sample_rate = 16_000
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    np.testing.assert_allclose(media.audio(tmp_path / "a.wav", 16_000), 0.3, atol=1e-3)


@pytest.mark.parametrize("rate", [1.0, 2.0, 4.0, 10.0])
def test_frames_are_those_in_the_middle_of_each_interval(tmp_path, rate):
    file = recordings.write(tmp_path / "a.mkv", plain, seconds=3.0, fps=20)
    found = list(media.frames(file, rate))
    assert [frame.time for frame in found] == [(k + 0.5) / rate for k in range(int(3 * rate))]
    for frame in found:
        # the picture that is shown at this time, which begins at a multiple of 1/20 s
        shown = np.floor(frame.time * 20 + 1e-6) / 20
        assert frame.image is not None
        assert frame.image.shape == (48, 64, 3)
        assert (frame.image == round(shown * 10)).all()


def test_sound_and_pictures_share_their_beginning(tmp_path):
    """Two seconds before the first picture: they are rows without one, not left out."""
    from fractions import Fraction

    file = tmp_path / "late.mkv"
    with av.open(str(file), "w") as container:
        video = container.add_stream("libx264rgb", rate=10)
        video.height, video.width, video.pix_fmt = 48, 64, "rgb24"
        track = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        samples = np.full((1, 64_000), 1000, np.int16)
        sound = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = 16_000, 0, Fraction(1, 16_000)
        container.mux(track.encode(sound))
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(plain(number / 10), format="rgb24")
            frame.pts, frame.time_base = 20 + number, Fraction(1, 10)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    images = [frame.image is None for frame in media.frames(file, 1.0)]
    assert images == [True, True, False, False]


def test_pictures_of_a_turned_telephone_are_upright():
    class Turned:
        rotation = -90

        def to_ndarray(self, format):
            image = np.zeros((2, 3, 3), np.uint8)
            image[0, 0] = 255  # top left; a quarter to the right turns it to the top right
            return image

    upright = media._rgb(Turned())
    assert upright is not None
    assert upright.shape == (3, 2, 3)
    assert upright[0, 1, 0] == 255


def faulty(path, content):
    path.write_bytes(content)
    return path


def test_faults(tmp_path, talking):
    whole = talking.read_bytes()
    silent = recordings.write(tmp_path / "silent.mkv", plain, np.zeros(32_000), 2.0)
    dumb = recordings.write(tmp_path / "dumb.mkv", plain, None, 2.0)
    heard = recordings.write(tmp_path / "heard.wav", None, recordings.voice(2.0))
    cases = [
        (media.audio, tmp_path / "none.mkv", 16_000, "missing file"),
        (media.audio, faulty(tmp_path / "empty.mkv", b""), 16_000, "zero length"),
        (media.audio, faulty(tmp_path / "text.mp4", b"no media " * 99), 16_000, "corrupt file"),
        (media.audio, dumb, 16_000, "no audio track"),
        (media.audio, silent, 16_000, "silent audio track"),
        (media.frames, heard, 1.0, "no video track"),
        (media.frames, dumb, 11.0, "frame rate too low"),
        (media.frames, tmp_path, 1.0, "not a file"),
        (media.frames, faulty(tmp_path / "cut.mkv", whole[: len(whole) // 3]), 1.0, "truncated"),
        (media.audio, tmp_path / "cut.mkv", 16_000, "truncated file"),
    ]
    for function, path, rate, kind in cases:
        with pytest.raises(BadFileError, match=kind):
            list(function(path, rate))


def test_an_mp4_without_its_index_is_corrupt(tmp_path):
    file = recordings.write(tmp_path / "a.mp4", plain, recordings.voice(2.0), 2.0, lossless=False)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadFileError, match="corrupt file"):
        media.audio(file, 16_000)


def test_limits_are_checked_before_decoding(tmp_path, monkeypatch):
    file = recordings.write(tmp_path / "a.mkv", plain, recordings.voice(2.0), 2.0)
    monkeypatch.setattr(media, "PIXELS", 64 * 48 - 1)
    with pytest.raises(BadFileError, match=r"picture too large.*64 x 48"):
        next(iter(media.frames(file, 1.0)))
    monkeypatch.setattr(media, "LONGEST", 1.0)
    with pytest.raises(BadFileError, match="recording too long"):
        media.audio(file, 16_000)


def test_a_playlist_opens_no_other_file(tmp_path):
    secret = recordings.write(tmp_path / "secret.wav", None, recordings.voice(2.0))
    file = tmp_path / "list.m3u8"
    file.write_text(f"#EXTM3U\n#EXTINF:2,\nhttp://127.0.0.1:9/{secret.name}\n#EXT-X-ENDLIST\n")
    with pytest.raises(BadFileError, match="corrupt file"):
        media.audio(file, 16_000)
