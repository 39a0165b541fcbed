"""Forms as they arrive: whatever the pieces, the parts are the same, and what cannot be read says why."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import suppress
from weakref import ref

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.forms import File, Form, Upload
from cobalt_sandbox.multipart import BrokenMultipart, FormReader, NoBoundary, NotMultipart

CONTENT_TYPE = b"multipart/form-data; boundary=edge"
LAST = b"--edge--\r\n"
Parts = dict[str, str | Upload]


def part(name: str, content: bytes, *headers: str, filename: str | None = None) -> bytes:
    file = "" if filename is None else f'; filename="{filename}"'
    lines = [f'Content-Disposition: form-data; name="{name}"{file}', *headers, "", ""]
    return b"--edge\r\n" + "\r\n".join(lines).encode() + content + b"\r\n"


def read(*pieces: bytes, content_type: bytes = CONTENT_TYPE) -> Parts:
    reader = FormReader(content_type)
    for piece in pieces:
        reader.feed(piece)
    return reader.parts()


def refusal(*pieces: bytes) -> str:
    with pytest.raises(BrokenMultipart) as raised:
        read(*pieces)
    assert raised.value.status == 400
    return raised.value.message.removeprefix("Invalid multipart/form-data in request body: ")


# What is read ----------------------------------------------------------------------------------------------------


def test_texts_and_files_are_told_apart_by_the_file_name() -> None:
    body = part("folder", b"Lab \xc3\xa4") + part(
        "file", b"%PDF\xff", "Content-Type: application/pdf", filename="a.pdf"
    )
    assert read(body + LAST) == {"folder": "Lab ä", "file": Upload("a.pdf", "application/pdf", b"%PDF\xff")}


def test_a_file_without_a_type_has_none() -> None:
    assert read(part("file", b"x", filename="a.pdf") + LAST) == {"file": Upload("a.pdf", None, b"x")}


def test_header_names_are_taken_in_any_case_and_others_are_ignored() -> None:
    head = b'--edge\r\nCONTENT-disposition:   form-data; name="a"\r\nX-Anything: 1\r\n\r\n'
    assert read(head + b"text\r\n" + LAST) == {"a": "text"}


def test_of_two_parts_with_one_name_the_last_counts() -> None:
    assert read(part("a", b"1") + part("a", b"2") + LAST) == {"a": "2"}


def test_a_form_without_parts_is_empty() -> None:
    assert read(LAST) == {}


def test_what_follows_the_last_boundary_is_ignored() -> None:
    assert read(part("a", b"1") + LAST + b"epilogue\r\n--edge\r\n", b"more") == {"a": "1"}


@pytest.mark.parametrize(
    "content_type",
    [
        b"multipart/form-data; boundary=edge",
        b'multipart/form-data; boundary="edge"',
        b"Multipart/Form-Data;charset=utf-8;BOUNDARY=edge",
        b"multipart/form-data ; boundary=edge",
    ],
)
def test_the_boundary_is_found_however_it_is_written(content_type: bytes) -> None:
    assert read(part("a", b"1") + LAST, content_type=content_type) == {"a": "1"}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("x.pdf", "x.pdf"),
        ("C:\\\\x\\\\y.pdf", "y.pdf"),
        ("C:\\x\\y.pdf", "y.pdf"),
        ("../../x.pdf", "x.pdf"),
        ("..\\..\\x.pdf", "x.pdf"),
        ("/etc/passwd", "passwd"),
        ("dir/", ""),
        ("..", ""),
        ("", ""),
        ('a\\"b.pdf', 'a"b.pdf'),
        ("a\x00b\x1f\x7f.pdf", "ab.pdf"),
        (" x.pdf ", "x.pdf"),
        ("Röntgen \N{BONE}.pdf", "Röntgen \N{BONE}.pdf"),
        ("a; name=b.pdf", "a; name=b.pdf"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
    ],
)
def test_only_the_last_component_of_a_file_name_is_kept(sent: str, kept: str) -> None:
    upload = read(part("file", b"x", filename=sent) + LAST)["file"]
    assert isinstance(upload, Upload)
    assert upload.filename == kept


CONTENTS = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--edge", b"\r\n--edg", b"edge", b"x", b" "]), max_size=8).map(
        b"".join
    ),
)


def pieces_of(whole: bytes, cuts: Iterable[int]) -> Iterator[bytes]:
    at = 0
    for cut in sorted(cut % (len(whole) + 1) for cut in cuts):
        yield whole[at:cut]
        at = cut
    yield whole[at:]


@given(contents=st.lists(CONTENTS, max_size=3), cuts=st.lists(st.integers(0, 10_000), max_size=12))
@example(contents=[b"\r\n--edg"], cuts=range(200))
def test_a_file_comes_back_byte_for_byte_whatever_the_pieces(contents: list[bytes], cuts: Iterable[int]) -> None:
    contents = [each for each in contents if b"\r\n--edge" not in b"\r\n" + each]
    whole = b"".join(part(f"f{n}", each, filename="a.bin") for n, each in enumerate(contents)) + LAST
    expected = {f"f{n}": Upload("a.bin", None, each) for n, each in enumerate(contents)}
    assert read(*pieces_of(whole, cuts)) == expected


@given(body=st.binary(max_size=60), cuts=st.lists(st.integers(0, 10_000), max_size=6))
@example(body=b"--edge", cuts=[])
@example(body=b"--edge\r\nx", cuts=[8])
def test_any_bytes_are_read_or_refused(body: bytes, cuts: list[int]) -> None:
    with suppress(NotMultipart, BrokenMultipart):
        read(*pieces_of(body, cuts))


# What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [b"", b"application/json", b"multipart/mixed; boundary=edge", b"application/x-www-form-urlencoded", b"\xff;;=\xff"],
)
def test_another_type_is_no_form(content_type: bytes) -> None:
    with pytest.raises(NotMultipart, match="must be multipart/form-data"):
        FormReader(content_type)


@pytest.mark.parametrize("boundary", [b"", b"; boundary", b"; boundary=", b'; boundary=""', b"; boundary=" + b"x" * 71])
def test_a_form_has_a_boundary(boundary: bytes) -> None:
    with pytest.raises(NoBoundary) as raised:
        FormReader(b"multipart/form-data" + boundary)
    assert raised.value.message == "Content-Type must name a boundary of 1 to 70 characters."


def test_a_boundary_may_have_70_characters() -> None:
    edge = b"x" * 70
    body = part("a", b"1").replace(b"edge", edge) + LAST.replace(b"edge", edge)
    assert read(body, content_type=b"multipart/form-data; boundary=" + edge) == {"a": "1"}


@pytest.mark.parametrize("kept", [0, 2, 8, 30, -2, -9, -10])
def test_a_form_that_is_cut_off_says_so(kept: int) -> None:
    body = part("a", b"text") + LAST.rstrip()
    assert refusal(body[:kept]) == "it ends before its last boundary."


@pytest.mark.parametrize(
    "body", [b"garbage", b'{"folder_name": "x"}', b"--other\r\n", b"--edge+", b"--edge\r+", b"--edge-+"]
)
def test_garbage_does_not_begin_with_the_boundary(body: bytes) -> None:
    assert refusal(body) == "it does not begin with the boundary."


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"Content-Type: text/plain\r\n",
        b"Content-Disposition: form-data\r\n",
        b'Content-Disposition: form-data; name="\xff"\r\n',
        b'Content-Disposition: form-data; name="a"; filename="\xe4.pdf"\r\n',
        b"no colon\r\n",
        b": nameless\r\n",
        b'Content-Disposition: form-data; name="a"\rX',
        b'Content-Disposition: form-data; name="a"; filename="' + b"x" * 4096 + b'"\r\n',
        b'Content-Disposition: form-data; name="a"\r\n' + b"X: " + b"x" * 4096 + b"\r\n",
        b'Content-Disposition: form-data; name="a"\r\n' + b"x" * 4096 + b":\r\n",
        b'Content-Disposition: form-data; name="a"\r\n' + b"".join(b"X%d: %s\r\n" % (n, b"x" * 1024) for n in range(4)),
    ],
    ids=lambda head: repr(head[:60]),
)
def test_a_part_that_cannot_be_read_is_named_by_its_place(head: bytes) -> None:
    body = part("first", b"1") + b"--edge\r\n" + head + b"\r\ntext\r\n" + LAST
    assert refusal(body) == "part 2 cannot be read."
    assert refusal(*pieces_of(body, range(0, len(body), 100))) == "part 2 cannot be read."


def test_a_text_is_utf_8_and_a_file_need_not_be() -> None:
    assert refusal(part("a", b"\xff") + LAST) == "part 1 cannot be read."
    assert read(part("a", b"\xff", filename="a") + LAST) == {"a": Upload("a", None, b"\xff")}


@pytest.mark.parametrize("count", [64, 65])
def test_a_form_has_at_most_64_parts(count: int) -> None:
    body = b"".join(part(f"p{n}", b"") for n in range(count)) + LAST
    if count == 64:
        assert len(read(body)) == 64
    else:
        assert refusal(body) == "it has more than 64 parts."


# The models of forms ---------------------------------------------------------------------------------------------


class Letter(Form, files=("sheet",)):
    """A form of two parts, and one that may be left out."""

    to: str
    sheet: File
    remark: str | None = None


SHEET = Upload("a.pdf", None, b"x")


def test_a_form_is_read_by_the_names_of_its_parts() -> None:
    assert Letter.read({"to": "Ada", "sheet": SHEET, "unknown": "x"}) == Letter(to="Ada", sheet=SHEET)


@pytest.mark.parametrize(
    ("parts", "missing"),
    [
        ({}, "to"),
        ({"sheet": SHEET}, "to"),
        ({"to": "", "sheet": SHEET}, "to"),
        ({"to": SHEET, "sheet": SHEET}, "to"),
        ({"to": "Ada"}, "sheet"),
        ({"to": "Ada", "sheet": "x"}, "sheet"),
        ({"to": "Ada", "sheet": Upload("", None, b"x")}, "sheet"),
        ({"to": "Ada", "sheet": Upload("a.pdf", None, b"")}, "sheet"),
    ],
)
def test_what_is_empty_or_of_the_other_kind_is_missing(parts: Parts, missing: str) -> None:
    with pytest.raises(CobaltError) as raised:
        Letter.read(parts)
    assert raised.value.message == f"Missing required field: {missing}"


def test_a_part_that_may_be_left_out_may_be_empty() -> None:
    assert Letter.read({"to": "Ada", "sheet": SHEET, "remark": ""}).remark is None


@pytest.mark.parametrize("end", [LAST, b""])
def test_a_reader_lets_its_files_go_without_a_search_for_garbage(end: bytes) -> None:
    reader = FormReader(CONTENT_TYPE)
    reader.feed(part("file", b"x", filename="a") + end)
    found = ref(reader._found)
    gc.disable()
    try:
        del reader
        assert found() is None
    finally:
        gc.enable()
