"""Readers give what is stored, or refuse a broken or hostile file, with little memory and time."""

import io
import os
import struct
import zipfile
import zlib
from contextlib import suppress

import h5py
import numpy as np
import pytest
import scipy.io
from fuzz import damage
from fuzz.formats import READERS, ROWS, npy_bytes, npy_header, png_bytes, xlsx_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from jaxdep.data.formats import (
    hdf5,
    image,
    kaldi,
    mat,
    names,
    npy,
    npz,
    table,
    text,
    xlsx,
)
from jaxdep.errors import BadFileError


@pytest.mark.parametrize("name", READERS)
@settings(
    max_examples=200,
    deadline=10_000,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rng=st.randoms(use_true_random=False))
def test_a_broken_file_is_read_or_refused(name, rng, tmp_path):
    """Bytes flipped, cut and repeated; numbers, cells, shapes and types changed."""
    content, read = READERS[name]
    path = tmp_path / f"x.{name}"
    path.write_bytes(damage.any_content(rng, path.name, content)[1])
    with suppress(BadFileError):
        read(path, tmp_path)


def test_what_is_stored_is_read(tmp_path):
    for name, (content, _) in READERS.items():
        (tmp_path / name).write_bytes(content)
    read = lambda name: READERS[name][1](tmp_path / name, tmp_path)
    for name in ("npy", "npz", "h5", "parquet"):
        np.testing.assert_array_equal(read(name), ROWS)
    first, second = read("ark")
    assert (first[0], second[0]) == ("p1", "p2")
    np.testing.assert_array_equal(first[1], ROWS)
    assert read("xlsx")[1:] == [("p1", 12), ("p2", 3)]
    np.testing.assert_array_equal(read("png").ravel(), np.arange(35))
    assert read("csv") == [(1, ["id", "score"]), (2, ["p1", "3"])]
    np.testing.assert_array_equal(read("table"), [[1, 2.5], [3, -4e5]])
    np.testing.assert_array_equal(read("columns"), [[2, 1], [4, 3]])
    np.testing.assert_array_equal(read("mat"), ROWS)


class TestHostileArchives:
    """They declare much, or lead elsewhere."""

    def refused(self, read, path, *arguments):
        with pytest.raises(BadFileError) as error:
            read(path, path.parent, *arguments)
        return f"{error.value.kind}: {error.value.detail}"

    def test_an_archive_that_declares_more_than_it_holds(self, tmp_path):
        path = tmp_path / "x.npz"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("rows.npy", npy_bytes(ROWS))
        content = path.read_bytes()
        size = struct.pack("<I", len(npy_bytes(ROWS)))
        path.write_bytes(content.replace(size, struct.pack("<I", 2**31)))
        found = self.refused(npz.read, path, "", (None, 3))
        assert "declares 2147483648 bytes of numbers in" in found

    def test_pickled_members(self, tmp_path):
        path = tmp_path / "x.npz"
        np.savez(path, rows=np.array([{}], dtype=object))
        assert "pickled array (refused)" in self.refused(npz.read, path, "rows", (None, 3))

    def test_an_array_that_was_never_written(self, tmp_path):
        path = tmp_path / "x.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset("rows", (10**8, 3), "f4", chunks=(100, 3))
        assert "declares 1200000000 bytes" in self.refused(hdf5.read, path, "", (None, 3))

    def test_links_to_other_files(self, tmp_path):
        (tmp_path / "in").mkdir()
        with h5py.File(tmp_path / "out.h5", "w") as file:
            file["rows"] = ROWS
        ROWS.tofile(tmp_path / "out.raw")
        path = tmp_path / "in" / "x.h5"
        with h5py.File(path, "w") as file:
            file["link"] = h5py.ExternalLink("../out.h5", "rows")
            outside = [("../out.raw", 0, ROWS.nbytes)]
            file.create_dataset("raw", ROWS.shape, ROWS.dtype, external=outside)
            layout = h5py.VirtualLayout(ROWS.shape, ROWS.dtype)
            layout[:] = h5py.VirtualSource("../out.h5", "rows", ROWS.shape)
            file.create_virtual_dataset("virtual", layout)
        for key in ("link", "raw", "virtual"):
            found = self.refused(hdf5.read, path, key, (None, 3))
            assert found == f"link out of the corpus: {key} lies in another file"


HUGE = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 3), }"


@pytest.mark.parametrize(
    ("content", "kind", "detail"),
    [
        (npy_header(HUGE), "unreadable or truncated array", "its header declares 12000000000000"),
        (npy_header(HUGE.replace("1000000000000", "True")), "wrong shape", "True"),
        (npy_header(HUGE.replace("1000000000000", "-4")), "wrong shape", "-4"),
        (npy_header("(" * 5000), "unreadable or truncated array", "invalid header"),
        (npy_header("{'descr': '<f4', 'shape'"), "unreadable or truncated array", "invalid header"),
        (npy_header("[1, 2]"), "unreadable or truncated array", "invalid header"),
        (npy_header("{'descr': name}"), "unreadable or truncated array", "invalid header"),
        (npy_header(HUGE.replace("<f4", "O")), "pickled array (refused)", ""),
        (b"\x80\x04K\x01.", "pickled array (refused)", ""),
        (b"PK\x03\x04", "unreadable or truncated array", "an archive"),
        (b"", "unreadable or truncated array", ""),
        (npy_bytes(ROWS)[:-1], "unreadable or truncated array", "47 bytes of data"),
        (npy_bytes(ROWS) + b"x", "unreadable or truncated array", "49 bytes of data"),
        (npy_bytes(ROWS[:0]), "no rows", "T > 0"),
        (npy_bytes(ROWS.T), "wrong shape", "expected [T, 3], found [3, 4]"),
        (npy_bytes(np.array([["a", "b", "c"]])), "not numeric", "<U1"),
    ],
)
def test_hostile_arrays_are_refused_before_anything_is_allocated(content, kind, detail, tmp_path):
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    with pytest.raises(BadFileError) as refused:
        npy.read(path, tmp_path, (None, 3))
    assert refused.value.kind == kind
    assert detail in refused.value.detail


def test_a_sparse_file_of_a_terabyte_is_refused(tmp_path):
    path = tmp_path / "x.npy"
    path.write_bytes(npy_header(HUGE))
    os.truncate(path, path.stat().st_size + 10**12)
    with pytest.raises(BadFileError, match="file too large"):
        npy.read(path, tmp_path, (None, 3))


def test_sizes_that_an_archive_declares_are_checked(tmp_path):
    path = tmp_path / "x.ark"
    path.write_bytes(b"p1 \0BFM \4" + struct.pack("<i", 2**30) + b"\4" + struct.pack("<i", 768))
    with pytest.raises(BadFileError, match="p1 declares"):
        list(kaldi.read(path, tmp_path))
    path.write_bytes(b"x" * 5000)
    with pytest.raises(BadFileError, match="no name at byte 0"):
        list(kaldi.read(path, tmp_path))


def test_a_workbook_that_unpacks_to_gigabytes_is_refused(tmp_path):
    path = tmp_path / "x.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/big.xml", "w", force_zip64=True) as file,
    ):
        for _ in range(300):
            file.write(bytes(2**20))
    with pytest.raises(BadFileError, match="file too large"):
        xlsx.read(path, tmp_path, "scores")


def test_a_workbook_with_entities_is_refused(tmp_path):
    path, source = tmp_path / "x.xlsx", zipfile.ZipFile(io.BytesIO(xlsx_bytes()))
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    with zipfile.ZipFile(path, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, bomb if name == "xl/workbook.xml" else source.read(name))
    with pytest.raises(BadFileError, match="DOCTYPE"):
        xlsx.read(path, tmp_path, "scores")


def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path):
    content = bytearray(png_bytes())
    content[16:24] = struct.pack(">II", 10**5, 10**5)
    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(BadFileError, match="image too large"):
        image.read(path, tmp_path, "RGB")


def test_images_are_red_green_blue(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "color.png")
    np.testing.assert_array_equal(image.read(tmp_path / "color.png", tmp_path, "RGB"), pixels)
    Image.fromarray(pixels[:, :, 0]).save(tmp_path / "grey.png")
    grey = image.read(tmp_path / "grey.png", tmp_path, "RGB")
    np.testing.assert_array_equal(grey, pixels[:, :, [0, 0, 0]])
    (tmp_path / "none.jpg").write_bytes(b"no image")
    with pytest.raises(BadFileError, match="unreadable image"):
        image.read(tmp_path / "none.jpg", tmp_path, "RGB")


def test_tables_of_numbers(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\r1,\r-1.#IND,2e3\r")
    np.testing.assert_array_equal(
        table.read(path, tmp_path, 2, 1), [[1.0, np.nan], [np.nan, 2000.0]]
    )
    for content, message in (
        (b"a,b\n", "no rows"),
        (b"a,b\n1,2,3\n", "wrong shape"),
        (b"a,b\n1,x\n", "not numeric"),
        (b"a,b\n1,\xff\0\n", "not numeric"),
        (b"a,b\n1," + b"9" * 3_000_000, "not numeric"),
    ):
        path.write_bytes(content)
        with pytest.raises(BadFileError, match=message):
            table.read(path, tmp_path, 2, 1)


def test_tables_with_a_header(tmp_path):
    path = tmp_path / "x.csv"
    for content in (b"\xef\xbb\xbfname, a,b\r\nx, 1 ,\r\ny,nan,4", b"name,a, b\rx,1,\ry,,4\r"):
        path.write_bytes(content)
        assert table.header(path, tmp_path) == ["name", "a", "b"]
        found = table.read_columns(path, tmp_path, ["b", "a"])
        np.testing.assert_array_equal(found, [[np.nan, 1], [4, np.nan]])
    for content, message in (
        (b"", "a name is empty"),
        (b"a,,b\n1,2,3", "a name is empty"),
        (b"a,b,a\n1,2,3", "a occurs twice"),
        (b"a,\xff\n1,2", "wrong header"),
        (b"a," * 10**6, "longer than"),
        (b"a\n1", "no column b"),
        (b"a,b", "no rows"),
        (b"a,b\n", "no rows"),
        (b"a,b\n1,2,3", "wrong shape"),
        (b"a,b\n1,x", "not numeric"),
    ):
        path.write_bytes(content)
        with pytest.raises(BadFileError, match=message):
            table.read_columns(path, tmp_path, ["a", "b"])


def test_a_matrix_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "x.mat"
    scipy.io.savemat(path, {"feature": np.zeros((4000, 3))}, do_compression=True)
    assert mat.shape(path, tmp_path, "feature") == (4000, 3)
    with pytest.raises(BadFileError, match="unpacks to more than 1000 bytes"):
        mat.read(path, tmp_path, "feature", 3, limit=1000)
    os.truncate(path, 200)
    with pytest.raises(BadFileError, match="unreadable or truncated array"):
        mat.read(path, tmp_path, "feature", 3)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"a,b\rc,d\r", [(1, ["a", "b"]), (2, ["c", "d"])]),
        (b"\xef\xbb\xbfa,b\n", [(1, ["a", "b"])]),
        ("a,ü\u2028\x85ü\n".encode(), [(1, ["a", "ü\u2028\x85ü"])]),
        (b'a,"b,\r\nc"\r\nd', [(1, ["a", "b,\nc"]), (3, ["d"])]),
    ],
)
def test_encodings_and_line_ends(content, found, tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    assert list(text.rows(text.read(path, tmp_path))) == found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,\0\n", "a zero byte"),
        (b"a,\xff\xff\n", "not UTF-8"),
        ("a\n".encode("utf-16"), "save the file as UTF-8"),
        (b"a," + b"x" * 200_000, "field larger than"),
        (b'a,"b\n', "unexpected end of data"),
    ],
)
def test_what_is_no_table_is_refused(content, message, tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(BadFileError, match=message):
        list(text.rows(text.read(path, tmp_path)))


def test_folders_links_and_limits(tmp_path):
    root = tmp_path / "corpus"
    (root / "folder.csv").mkdir(parents=True)
    (tmp_path / "outside.csv").write_text("a")
    (root / "link.csv").symlink_to(tmp_path / "outside.csv")
    (root / "large.csv").write_text("x" * 100)
    os.mkfifo(root / "pipe.csv")
    for name, kind in (
        ("folder", "not a file"),
        ("link", "link out of the corpus"),
        ("pipe", "not a file"),
        ("none", "missing file"),
        ("large", "file too large"),
    ):
        with pytest.raises(BadFileError) as refused:
            text.read(root / f"{name}.csv", root, limit=99)
        assert refused.value.kind == kind


@pytest.mark.parametrize(
    "name",
    [
        "",
        " a",
        "a/b",
        "../x",
        "/etc",
        "a\\b",
        ".",
        "..",
        "a\nb",
        "a\0",
        "\udcff",
        "a" * 201,
        "ü" * 101,
    ],
)
def test_ids_are_names(name):
    assert names.fault_of(name)


@pytest.mark.parametrize("name", ["300_P", "受试者1", "a.b-c", "x" * 200])
def test_names_may_be_ids(name):
    assert names.fault_of(name) is None
