"""Of the pictures in a submission only pixels are kept, whatever else the file contains."""

from __future__ import annotations

import base64
import io
import struct
import time
import zlib
from collections.abc import Mapping
from typing import Any

import pytest
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image, PngImagePlugin

from autograder.core.results import ItemResult, Status
from autograder.feedback.page import feedback_html
from autograder.grading.executed_notebook import executed_notebook
from autograder.submissions import pictures
from autograder.submissions.outputs import OF_STUDENT, outputs_in
from autograder.submissions.pictures import SubmittedPicture, attached_to, gather
from autograder.submissions.rebuild import Rebuilt
from tests.autograder.graded_folder import log_of
from tests.autograder.submissions.test_rebuild import place, rebuilt
from tests.autograder.toy import solved, toy

SECRET = b"a secret that is no pixel"


def packed(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """A picture file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def gradient(mode: str = "RGB", size: tuple[int, int] = (32, 24)) -> Image.Image:
    """A picture with something on it."""
    return Image.linear_gradient("L").resize(size).convert(mode)


def as_text(raw: bytes) -> str:
    """A file in base64, as a notebook has it."""
    return base64.b64encode(raw).decode()


def drawn_in(cell: dict[str, Any]) -> tuple[SubmittedPicture, ...]:
    """The pictures among a cell's outputs and attachments."""
    return (*(one for one in outputs_in(cell) if isinstance(one, SubmittedPicture)), *attached_to(cell))


def drawn(raw: bytes | str, mime: str = "image/png") -> SubmittedPicture:
    """The picture as it is in a notebook."""
    return SubmittedPicture({mime: raw if isinstance(raw, str) else as_text(raw)})


def kept(raw: bytes, mime: str = "image/png") -> tuple[Image.Image, bytes, tuple[str, ...]]:
    """The picture that is kept of a file, its bytes, and the notes."""
    gathered = gather([drawn(raw, mime)])
    assert len(gathered.pictures) == 1, gathered.notes
    data = base64.b64decode(gathered.pictures[0].data)
    image = Image.open(io.BytesIO(data))
    assert f"image/{str(image.format).lower()}" == gathered.pictures[0].mime
    image.load()
    return image, data, gathered.notes


SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(
    width: int,
    height: int,
    *,
    depth: int = 8,
    colour: int = 0,
    interlaced: int = 0,
    rows: bytes = b"",
    more: bytes = b"",
) -> bytes:
    """A PNG with this header, these rows and more chunks before them."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
    return SIGNATURE + header + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("mime", list(pictures.FORMATS))
def test_nothing_but_pixels_is_kept(mime: str) -> None:
    kind, exif, text = pictures.FORMATS[mime], Image.Exif(), PngImagePlugin.PngInfo()
    exif[0x010E] = SECRET.decode()
    text.add_text("Comment", SECRET.decode())
    hidden: dict[str, Any] = {"exif": exif, "icc_profile": SECRET, "xmp": SECRET, "comment": SECRET, "pnginfo": text}
    raw = packed(gradient(), kind, **hidden) + SECRET
    assert raw.count(SECRET) > 1
    image, data, notes = kept(raw, mime)
    assert SECRET not in data and not image.info.keys() - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert image.size == (32, 24) and notes == ()
    assert gather([drawn(raw, mime)]) == gather([drawn(raw, mime)])


def test_unused_colours_of_a_palette_are_not_kept() -> None:
    image = gradient("P")
    image.putpalette(image.getpalette()[: 3 * 256 - len(SECRET)] + list(SECRET))  # type: ignore[index]
    image = image.point(lambda level: min(level, 200))
    raw = packed(image)
    assert SECRET in raw and SECRET not in kept(raw)[1]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_visible_pixels_stay_the_same(mode: str) -> None:
    image = gradient("RGBA")
    image.putalpha(gradient("L").rotate(180))
    original = image.convert(mode)
    assert kept(packed(original))[0].convert("RGBA").tobytes() == original.convert("RGBA").tobytes()


def test_transparent_colours_stay_transparent() -> None:
    for mode in ("P", "L", "RGB"):
        original = gradient(mode)
        key = original.getpixel((0, 0))
        raw = packed(original, transparency=key)
        shown, image = Image.open(io.BytesIO(raw)).convert("RGBA"), kept(raw)[0]
        assert image.mode == "RGBA" and image.tobytes() == shown.tobytes()
        assert image.getchannel("A").getextrema() == (0, 255)


def test_an_alpha_channel_that_hides_nothing_is_dropped() -> None:
    assert kept(packed(gradient("RGBA")))[0].mode == "RGB"


def test_sixteen_bits_become_eight() -> None:
    rows = b"".join(b"\0" + struct.pack(">3H", *row) for row in ((0, 257, 65535), (128 * 257, 200 * 257 + 3, 256)))
    image, _, _ = kept(png_of(3, 2, depth=16, rows=rows))
    assert image.mode == "L" and list(image.tobytes()) == [0, 1, 255, 128, 200, 0]


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column and row, and distance of columns and rows, of each pass of an interlaced PNG."""


def test_interlaced_pictures_are_kept() -> None:
    pixels = gradient("L", (9, 10)).tobytes()
    passes = [b"\0" + pixels[9 * y + x0 : 9 * y + 9 : dx] for x0, y0, dx, dy in ADAM7 for y in range(y0, 10, dy)]
    assert kept(png_of(9, 10, rows=b"".join(passes), interlaced=1))[0].tobytes() == pixels


def test_photographs_stay_small_and_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright: to be turned by a quarter
    raw = packed(Image.effect_noise((400, 300), 50).convert("RGB"), "JPEG", exif=exif, quality=85)
    image, data, _ = kept(raw, "image/jpeg")
    assert image.format == "JPEG" and image.size == (300, 400) and len(data) < 2 * len(raw)
    assert kept(packed(gradient("CMYK"), "JPEG"), "image/jpeg")[0].mode == "RGB"


@pytest.mark.parametrize(("kind", "mime"), [("GIF", "image/gif"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_only_the_first_frame_of_an_animation_is_kept_with_a_note(kind: str, mime: str) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("navy", "red", "green")]
    image, data, notes = kept(packed(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True), mime)
    assert image.convert("RGB").getpixel((5, 5)) == (0, 0, 128) and getattr(image, "n_frames", 1) == 1
    assert notes == ("picture 1 is an animation; only its first frame is kept.",)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        SIGNATURE,
        SIGNATURE + b"<svg onload='alert(1)'/>",
        packed(gradient())[:-40],
        packed(gradient()).replace(b"IDAT", b"IDAT\0", 1),
        packed(gradient(), "JPEG")[:300],
        packed(gradient(), "BMP"),
        packed(gradient(), "TIFF"),
        packed(gradient(), "PPM"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        png_of(10, 10, rows=b"\0"),
        png_of(0, 0),
    ],
    ids=range(12),
)
@pytest.mark.parametrize("mime", list(pictures.FORMATS))
def test_an_invalid_picture_is_left_out_with_a_note(raw: bytes, mime: str) -> None:
    gathered = gather([drawn(raw, mime), drawn(packed(gradient()))])
    assert len(gathered.pictures) == 1 and len(gathered.notes) == 1
    assert gathered.notes[0].startswith("picture 1 is damaged; it is left out.")


def test_a_picture_that_fails_in_conversion_is_left_out_alone() -> None:
    """A palette of two colours, with transparency for four hundred."""
    raw = png_of(2, 2, colour=3, rows=b"\0\0\1" * 2, more=chunk(b"PLTE", bytes(6)) + chunk(b"tRNS", bytes(400)))
    gathered = gather([drawn(raw), drawn(packed(gradient()))])
    assert len(gathered.pictures) == 1
    assert gathered.notes == ("picture 1 is damaged; it is left out. Draw it again and save the notebook.",)


def test_a_photograph_with_a_thumbnail_behind_it_stays_a_photograph() -> None:
    gathered = gather(
        [drawn(packed(gradient(), "MPO", save_all=True, append_images=[gradient(size=(8, 6))]), "image/jpeg")]
    )
    assert [picture.mime for picture in gathered.pictures] == ["image/jpeg"] and gathered.notes == ()


@pytest.mark.parametrize(("mime", "kind"), [("image/PNG", "PNG"), ("image/jpg", "JPEG")])
def test_other_spellings_of_formats_are_understood(mime: str, kind: str) -> None:
    output = {"data": {mime: as_text(packed(gradient(), kind))}}
    assert len(gather(drawn_in({"outputs": [output]})).pictures) == 1


def test_a_damaged_checksum_is_found() -> None:
    raw = bytearray(packed(gradient()))
    raw[raw.index(b"IDAT") + 20] ^= 0xFF
    assert "is damaged" in gather([drawn(bytes(raw))]).notes[0]


@pytest.mark.parametrize("side", [4_500, 20_000, 2**31 - 1])
def test_a_decompression_bomb_is_not_unpacked(side: int) -> None:
    begin = time.process_time()
    gathered = gather([drawn(png_of(side, side, rows=bytes(10_000)))] * 12)
    assert time.process_time() - begin < 2
    assert gathered.pictures == () and len(gathered.notes) == 12
    assert all("20,000,000 pixels" in note or "damaged" in note for note in gathered.notes)


def test_compressed_text_in_a_picture_is_not_unpacked() -> None:
    bomb = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(300 * 2**20)))
    raw = packed(gradient())
    at = raw.index(b"IDAT") - 4
    assert gather([drawn(raw[:at] + bomb + raw[at:])]).pictures == ()


def test_a_cell_has_a_limit_of_pixels_pictures_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    one = drawn(packed(gradient()))
    many = gather([one] * 30)
    said = "picture 13 and those after it are left out: at most 12 pictures per cell are kept."
    assert len(many.pictures) == 12 and many.notes == (said,)
    monkeypatch.setattr(pictures, "MAX_CELL_PIXELS", 3 * 32 * 24)
    few = gather([one] * 4)
    assert len(few.pictures) == 3 and "the cell's pictures have more than 2,304 pixels" in few.notes[0]
    monkeypatch.setattr(pictures, "MAX_FILE_BYTES", 2**20)
    assert "the cell's pictures have more than 1 MiB" in gather([drawn("A" * 3 * 2**20)]).notes[0]


@pytest.mark.parametrize(("limit", "of_one", "decoded"), [("MAX_CELL_PIXELS", 32 * 24, 2), ("MAX_FILE_BYTES", None, 3)])
def test_damaged_pictures_count_towards_the_limits(
    limit: str, of_one: int | None, decoded: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a hundred of them would be decoded nearly to the end."""
    raw = packed(gradient())[:-30]
    monkeypatch.setattr(pictures, limit, decoded * (of_one or len(raw)))
    notes = gather([drawn(raw)] * 100).notes
    assert ["damaged" in note for note in notes] == [True] * decoded + [False] * (25 - decoded)


def test_a_picture_that_takes_too_many_bytes_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = drawn(packed(Image.effect_noise((600, 400), 90)))
    monkeypatch.setattr(pictures, "MAX_PICTURE_BYTES", 100_000)
    gathered = gather([noise])
    assert Image.open(io.BytesIO(base64.b64decode(gathered.pictures[0].data))).size == (300, 200)
    assert gathered.notes == ("picture 1 is made smaller: the cell's pictures are too large.",)
    monkeypatch.setattr(pictures, "MAX_PICTURE_BYTES", 1_000)
    gathered = gather([noise])
    assert gathered.pictures == () and "is left out" in gathered.notes[0]


@pytest.mark.parametrize(
    ("forms", "said"),
    [
        ({"image/svg+xml": "<svg/>"}, "is SVG only"),
        ({"image/tiff": "AAAA"}, "is not a PNG, JPEG, GIF or WebP"),
        ({"image/svg+xml": "<svg/>", "image/png": "?"}, "is damaged"),
    ],
)
def test_a_picture_in_no_known_format_is_named(forms: Mapping[str, str], said: str) -> None:
    gathered = gather([SubmittedPicture(forms)])
    assert gathered.pictures == () and said in gathered.notes[0] and "left out" in gathered.notes[0]


def test_of_several_formats_the_first_valid_one_is_kept() -> None:
    gathered = gather([SubmittedPicture({"image/svg+xml": "<svg/>", "image/jpeg": JPEG, "image/png": "broken"})])
    assert gathered.pictures[0].mime == "image/jpeg" and gathered.notes == ()


def test_malformed_outputs_are_ignored() -> None:
    malformed: list[Any] = [None, 3, {}, {"data": []}, {"data": {"image/png": 3}}, {"data": {"image/png": ["a", 3]}}]
    assert drawn_in({"outputs": malformed, "attachments": [1]}) == ()
    assert drawn_in({"outputs": {"data": {"image/png": "AAAA"}}}) == ()
    lines = drawn_in({"outputs": [{"data": {"image/png": ["AA", "AA\n"], "text/html": "x"}}]})
    assert lines == (SubmittedPicture({"image/png": "AAAA\n"}),)
    attachment = drawn_in({"attachments": {"a.png": {"image/png": "AAAA"}}})
    assert attachment == (SubmittedPicture({"image/png": "AAAA"}, "a.png"),)


def cell_of(notebook: NotebookNode, wanted: str) -> NotebookNode:
    """The cell of an item."""
    cells: list[NotebookNode] = notebook.cells
    return cells[place(notebook, wanted)]


def output(**forms: str) -> Any:
    """An output with a picture in these formats: `image/...` → base64."""
    return new_output("display_data", {f"image/{mime.replace('_', '+')}": data for mime, data in forms.items()})


def executed(result: Rebuilt) -> NotebookNode:
    """The executed notebook, all of whose items were passed."""
    results = {item.id: ItemResult(item.id, item.points, item.points, Status.PASSED, "Passed.") for item in toy().items}
    return executed_notebook(toy(), result, {}, results)


PNG, JPEG = as_text(packed(gradient())), as_text(packed(gradient(), "JPEG"))


def test_only_pictures_of_cells_graded_by_hand_are_encoded_anew() -> None:
    notebook = solved()
    outputs = [
        new_output("display_data", {"image/png": PNG, "text/html": "<script>alert(1)</script>"}),
        output(jpeg=JPEG),
        output(svg_xml="<svg onload='alert(1)'/>"),
    ]
    for name in ("figure_loss", "standardize"):
        cell_of(notebook, name).outputs = outputs
    result = rebuilt(notebook)
    assert list(result.pictures) == ["figure_loss"]
    shown = executed(result)
    kept_outputs = [list(out.data) for out in cell_of(shown, "figure_loss").outputs]
    assert kept_outputs == [["image/png"], ["image/jpeg"]]
    own = cell_of(shown, "standardize").outputs
    assert [list(out.data) for out in own] == [["text/plain"], ["image/png"], ["text/plain"]]
    assert all(out.metadata[OF_STUDENT] for out in own) and "script" not in str(own) and "svg" not in str(own)
    [flag] = result.flags
    assert flag.kind == "picture" and flag.message.startswith("figure_loss: picture 3 is SVG only, which ca")


def test_pictures_that_are_not_shown_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("a picture was decoded"))
    notebook = solved()
    cell_of(notebook, "standardize").outputs = [output(png=PNG)]
    notebook.cells[3].outputs = [output(png=PNG)]
    assert rebuilt(notebook).flags == ()


@pytest.mark.parametrize("away", [-1, 1, 2])
def test_a_figure_drawn_in_a_cell_of_the_students_nearby_is_shown(away: int) -> None:
    notebook = solved()
    at = notebook.cells.index(cell_of(notebook, "figure_loss"))
    notebook.cells[at + 1 : at + 1] = [new_code_cell("x = 1", id=f"own-{n}") for n in range(2)]
    notebook.cells[at:at] = [new_code_cell("x = 0", id="own-above")]
    notebook.cells[at + 1 + away].outputs = [output(png=PNG)]
    result = rebuilt(notebook)
    assert cell_of(executed(result), "figure_loss").outputs[0].data["image/png"]
    assert "its cell has no picture; the pictures of cell" in result.flags[0].message


def test_a_figure_drawn_beyond_a_given_cell_is_not_taken() -> None:
    notebook = solved()
    notebook.cells[-1].outputs = [output(png=PNG)]
    assert rebuilt(notebook).pictures == {}


def attached(source: str, **files: str) -> NotebookNode:
    """The cell of a written answer with attachments, in the executed notebook."""
    notebook = solved(written_units=source)
    cell_of(notebook, "written_units").attachments = {name: {"image/png": data} for name, data in files.items()}
    return cell_of(executed(rebuilt(notebook)), "written_units")


def test_an_attached_picture_is_shown_once_under_a_name_of_ours() -> None:
    source = "See ![my \\sketch](attachment:my%20sketch.png) and again ![x](attachment:my%20sketch.png), <b>![y](http://e.org)"
    cell = attached(source, **{"my sketch.png": PNG, "unused.png": PNG})
    [(name, forms)] = cell.attachments.items()
    assert name.startswith("picture-") and name.endswith(".png") and list(forms) == ["image/png"]
    assert f"See ![attached picture](attachment:{name}) and again ![x] (attachment:my%20sketch.png)" in cell.source
    assert "< b>![y] (http: //e.org)" in cell.source
    page, _ = HTMLExporter().from_notebook_node(new_notebook(cells=[cell]))  # as the form grader shows it
    page = page[page.index("<body") :]
    assert page.count("<img") == 1 and f'src="data:image/png;base64,{forms["image/png"]}"' in page


def test_another_picture_under_the_same_name_makes_another_answer() -> None:
    """The gradebook compares texts: a grader who has read the first sketch has not read the second."""
    first, same, other, broken = (
        attached("![image](attachment:image.png)", **{"image.png": data})
        for data in (PNG, PNG, as_text(packed(gradient("L"))), "broken")
    )
    assert first.source == same.source != other.source and "attachments" not in broken


def test_the_feedback_page_names_a_picture_that_is_not_kept() -> None:
    notebook = solved()
    cell_of(notebook, "figure_loss").outputs = [output(svg_xml="<svg/>")]
    page = feedback_html(log_of("ada", flags=rebuilt(notebook).flags), toy())
    assert "Some of your pictures are changed or left out" in page and "is SVG only" in page
    assert "Some of your pictures" not in feedback_html(log_of("ada"), toy())
