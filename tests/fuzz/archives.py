"""Hostile archives and folders for `autograder intake`: names, nesting, links, damaged bytes."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from random import Random

from tests.fuzz import notebooks
from tests.fuzz.archive_files import tarred, zipped
from tests.fuzz.attacker import LINE, Attacker, wrong_notebook
from tests.fuzz.trees import scratched

NAMES = (
    "toy.ipynb|toy.ipynb|submission_log.json|toy (1).ipynb|TOY.IPYNB|my toy .ipynb|.ipynb|toy.ipynb.txt|../toy.ipynb|"
    "../../honest/toy/toy.ipynb|/toy.ipynb|/etc/passwd|C:\\toy.ipynb|a\\..\\toy.ipynb|./toy.ipynb|honest/toy/toy.ipynb|"
    "honest_zip/toy.ipynb|__MACOSX/._toy.ipynb|.ipynb_checkpoints/toy-checkpoint.ipynb|toy.ipynb/||.|..|/|\0.ipynb|"
    "toy\0.ipynb|\n.ipynb|e\u0301.ipynb|\xe9.ipynb|\u202eypi.ipynb|💥.ipynb|\ud800.ipynb|toy.ipynb | toy.ipynb|"
    "con.ipynb|vae.ipynb|timestamp.txt|found_instead.txt|toy/toy.ipynb|toy/submission_log.json|inner.zip|inner.tar.gz|inner.tar|"
    f"a.zip/toy.ipynb|toy.pdf|data.json|{'a/' * 300}toy.ipynb|{'x' * 5000}.ipynb"
).split("|")
"""Names of files in an archive or a folder."""
TOPS = (
    " |\xa0eve|eve |E\u0301ve|\xc9VE|..eve|-eve|=1+1|@eve|eve\n|eve\t|<b>eve|💥|\u202eeve|CON|eve_LATE_12_34_toy|"
    "eve_12_34_toy|eve-12|Eve Doe_12_assignsubmission_file_|toy|toy-toy|vae|submission_log|eve_submission_log|\udcff|"
    f'eve;rm -rf x|%s%n{{eve}}|eve~2|unnamed|#eve|eve,1|"eve"|\'|$(x)|{"e" * 200}'
).split("|")
"""Odd names of files and folders at the top."""
LINKS = {"link.ipynb": "../honest folder/toy.ipynb", "loop": "..", "log.json": "/etc/passwd"}


def _content(name: str, draw: Random, depth: int) -> bytes:
    if name.endswith((".zip", ".tar", ".gz")) and depth < 4:
        return draw.choice([zipped, tarred])(_entries(draw, depth + 1), draw)
    if draw.random() < 0.3:
        return draw.choice([b"", b"x", b"{}", b"PK\3\4", b"\0" * 10**6, draw.randbytes(100)])
    return wrong_notebook(draw) if draw.random() < 0.6 else notebooks.attacker(draw, "").files["toy.ipynb"]


def _entries(draw: Random, depth: int = 0) -> list[tuple[str, bytes]]:
    names = [draw.choice(NAMES) for _ in range(draw.choice([1, 2, 6]))]
    many = draw.choice(["", "", "", "", "{}.txt", "{}.ipynb", "d/{}/toy.ipynb"])
    return [(name, _content(name, draw, depth)) for name in names] + [
        (many.format(n), b"{}") for n in range(3000) if many
    ]


def _on_disk(draw: Random) -> dict[str, bytes]:
    """Files of a folder: what is left of the names where a file system takes them."""
    files: dict[str, bytes] = {"x": b""}
    for name, content in _entries(draw):
        parts = [part[:200] for part in name.encode("utf-8", "replace").decode().replace("\0", "").split("/")]
        path = "/".join(part for part in parts if part not in ("", ".", ".."))[:1000].rstrip("/")
        if path and not any(f"{path}/".startswith(f"{one}/") or one.startswith(f"{path}/") for one in files):
            files[path] = content
    return files


def attacker(draw: Random, name: str) -> Attacker:
    """An attacker by an archive or a folder; half of them have an odd name at the top, too."""
    odd = draw.random() < 0.5
    top = draw.choice(TOPS) + draw.choice(["", name]) if odd else name
    top = unicodedata.normalize(draw.choice(["NFC", "NFD"]), top)
    makers: dict[str, Callable[[], bytes]] = {
        ".zip": lambda: zipped(_entries(draw), draw),
        draw.choice([".tar", ".tar.gz", ".tgz"]): lambda: tarred(_entries(draw), draw),
        draw.choice([".ipynb", "_toy.ipynb"]): lambda: wrong_notebook(draw),
    }
    ending = draw.choice(["/", ".zip", *makers])
    links = {}
    if ending == "/":
        files = {f"{top}/{path}": data for path, data in _on_disk(draw).items()}
        links = {f"{top}/{path}": target for path, target in LINKS.items() if draw.random() < 0.3}
    else:
        data = makers[ending]()
        files = {top + ending: scratched(data, draw, draw.choice([1, 5])) if draw.random() < 0.3 else data}
    links = {path: target for path, target in links.items() if path not in files}
    return Attacker(f"archive, {ending}", files, links, LINE, by_intake=True, row=not odd)
