"""Of a student's own outputs, people see texts and pixels, within limits."""

from __future__ import annotations

import base64
import io
import time
import zlib
from typing import Any

import nbformat
import pytest
from PIL import Image, PngImagePlugin

from autograder.submissions import outputs
from autograder.submissions.outputs import MARK, OF_STUDENT, Room, outputs_in, plain, stripped_png
from autograder.submissions.pictures import SubmittedPicture


def png(size: tuple[int, int] = (5, 3), **more: Any) -> bytes:
    """A picture with a text in it."""
    packed, about = io.BytesIO(), PngImagePlugin.PngInfo()
    about.add_text("comment", "<script>alert(1)</script>")
    Image.effect_noise(size, 90).save(packed, "PNG", pnginfo=about, **more)
    return packed.getvalue()


def encoded(raw: bytes) -> str:
    """Base64."""
    return base64.b64encode(raw).decode()


def shown(*found: Any, room: Room | None = None) -> list[str]:
    """The texts, and the MIME types of pictures, that are kept of one cell's outputs."""
    kept = (room or Room()).kept(outputs_in({"outputs": list(found)}))
    assert all(one.metadata == {OF_STUDENT: True} for one in kept)
    return [one.data.get("text/plain", next(iter(one.data))) for one in kept]


STREAM = {"output_type": "stream", "name": "stdout"}


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ({**STREAM, "text": "a < b\n"}, "a < b"),
        ({**STREAM, "text": ["one\n", "two"]}, "one\ntwo"),
        ({**STREAM, "text": "\x1b[31mred\x1b[0m\x07\x00 \u202eleft"}, "red left"),
        ({**STREAM, "text": "\r 10%\r 50%\r100%\ndone"}, "100%\ndone"),
        ({**STREAM, "text": "a\r\nb\r\n"}, "a\nb"),
        ({**STREAM, "text": "\ud800"}, "?"),
        ({"output_type": "execute_result", "data": {"text/plain": "tensor(3)", "text/html": "<b>3</b>"}}, "tensor(3)"),
        ({"output_type": "display_data", "data": {"text/markdown": "**x**", "text/plain": "<Markdown>"}}, "**x**"),
        ({"output_type": "error", "traceback": ["\x1b[0;31mNameError\x1b[0m", "name 'x'"]}, "NameError\nname 'x'"),
    ],
)
def test_texts_are_kept_as_text(output: dict[str, Any], text: str) -> None:
    assert shown(output) == [MARK, text]


@pytest.mark.parametrize(
    "output",
    [
        None,
        3,
        {},
        {**STREAM, "text": None},
        {**STREAM, "text": [1, 2]},
        {**STREAM, "text": " \n\t"},
        {"output_type": "error", "traceback": "x"},
        {"output_type": "display_data", "data": {"text/html": "<script>1</script>", "application/javascript": "x"}},
        {"output_type": "display_data", "data": []},
    ],
)
def test_what_is_neither_text_nor_picture_leaves_nothing(output: Any) -> None:
    assert shown(output) == []


def test_texts_and_pictures_keep_their_order_and_a_png_only_its_pixels() -> None:
    raw = png()
    found = [{**STREAM, "text": "loss 3"}, {"output_type": "display_data", "data": {"image/png": encoded(raw)}}]
    assert shown(*found, {**STREAM, "text": "loss 2"}) == [MARK, "loss 3", "image/png", "loss 2"]
    kept = stripped_png(encoded(raw), 10_000)
    assert b"script" in raw and b"script" not in kept
    assert Image.open(io.BytesIO(kept)).tobytes() == Image.open(io.BytesIO(raw)).tobytes()
    assert stripped_png(encoded(raw + b"<script>"), 10_000) == kept, "nothing that follows its end"


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


HEAD = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        HEAD,
        b"GIF89a" + bytes(50),
        png()[:-1],
        png()[:60] + b"x" + png()[61:],
        HEAD + chunk(b"IDAT", b"x") + chunk(b"IEND", b""),
        HEAD + chunk(b"IHDR", bytes(13)) + chunk(b"IDAT", b"x") + chunk(b"IEND", b""),
        HEAD + chunk(b"IHDR", (10**5).to_bytes(4, "big") * 2 + bytes(5)) + chunk(b"IDAT", b"x") + chunk(b"IEND", b""),
        HEAD + chunk(b"IHDR", (9).to_bytes(4, "big") * 2 + bytes(5)) + chunk(b"IEND", b""),
        HEAD + chunk(b"IHDR", (9).to_bytes(4, "big") * 2 + bytes(5)) * 2 + chunk(b"IDAT", b"") + chunk(b"IEND", b""),
        HEAD + (2**31).to_bytes(4, "big") + b"IHDR" + bytes(100),
    ],
    ids=range(11),
)
def test_a_damaged_or_enormous_png_is_not_kept(raw: bytes) -> None:
    assert stripped_png(encoded(raw), 2**20) == b""
    assert "not kept" in shown({"data": {"image/png": encoded(raw) or " "}})[1]


def test_other_formats_and_bad_base64_are_named() -> None:
    for data in ({"image/svg+xml": "<svg onload='x'/>"}, {"image/png": "?" * 40}, {"image/jpeg": "AAAA"}):
        [_, said] = shown({"output_type": "display_data", "data": data})
        assert said.startswith("[1 picture not kept")


def test_a_notebook_has_limits_for_text_and_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    long = plain("x" * 50_000)
    assert len(long) < outputs.MAX_CELL_TEXT + 100 and "a part of the text is left out" in long
    room = Room(characters=10, pictures=1, bytes=10_000)
    picture = {"data": {"image/png": encoded(png())}}
    assert shown({**STREAM, "text": "12345678"}, picture, {**STREAM, "text": "abcd"}, room=room)[1:] == [
        "12345678",
        "image/png",
        "ab",
    ]
    assert shown({**STREAM, "text": "nothing left"}, room=room) == []
    assert "not kept" in shown(picture, room=room)[1], "one picture"
    assert "not kept" in shown(picture, room=Room(bytes=60))[1], "too large"
    assert "not kept" in shown(picture, room=Room(pixels=14))[1], "decoded, it takes memory"
    [_, kept, said] = shown(*[picture] * 3, room=Room(pictures=1))
    assert kept == "image/png" and said.startswith("[2 pictures not kept")
    assert shown({**STREAM, "text": "12345678"}, room=Room(read=7)) == []


@pytest.mark.parametrize(
    "output",
    [{**STREAM, "text": "x" * 120 + "\n"}, {"data": {"image/png": ""}}, {**STREAM, "text": "a\nb\n" * 2000}],
    ids=["small texts", "empty pictures", "texts of many lines"],
)
def test_time_and_size_of_many_outputs_are_bounded(output: dict[str, Any]) -> None:
    began = time.process_time()
    found = outputs_in({"outputs": [output] * 30_000})
    kept = Room().kept(found)
    assert time.process_time() - began < 5 and len(found) <= 201 and len(str(kept)) < 50_000


def test_a_stream_of_many_megabytes_is_cut_before_it_is_cleaned() -> None:
    [text] = outputs_in({"outputs": [{**STREAM, "text": "\x1b[3" * 10**6}]})
    assert not isinstance(text, SubmittedPicture) and len(text) < 200_000


def test_what_is_kept_is_valid_in_a_notebook() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell()])
    picture = SubmittedPicture({"image/png": encoded(png())})
    notebook.cells[0].outputs = Room().kept(["text", picture])
    nbformat.validate(notebook)
