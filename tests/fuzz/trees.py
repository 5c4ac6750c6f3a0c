"""JSON that breaks readers: random values, changed documents, and texts that no writer of JSON produces."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.autograder.sandbox.test_fuzzed_replies import places

AGAIN = "<again>"
"""Ends a key that is written without it: the document has the same key twice."""
DEPTHS = (90, 110, 400, 990, 100_000)
RAW = ("1e999", "-1e999", "-0", "1" + "0" * 400 + ".5", '{"a":1,"a":[2]}', "[" * 90 + "]" * 90)
REFUSED = ("9" * 5000, *("[" * levels + "]" * levels for levels in DEPTHS[1:]))
"""Like `RAW`; a document with one of them is refused as a whole, so that they are rare."""


def raw(text: str) -> str:
    """A string that `written` writes as this text without quotes, where it is a value."""
    return f"<raw {text}>"


def deep(levels: int) -> Any:
    """Lists in lists."""
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


ODD_TEXTS = (
    "|\ud800|\udfff\ud800|\u202e|\0|\ufeff|\x1b[2J|\r|\u2028|e\u0301|\ufb01|\N{PILE OF POO}|<script>alert(1)</script>|"
    "</script><img src=x onerror=alert(1)>|{{ 7 * 7 }}|${x}|=1+1|../../x|" + "a" * 10**5
).split("|")
LARGE: list[Any] = [["x"] * 5000, {str(number): number for number in range(2000)}, deep(60)]
SMALL: list[Any] = [[], {}, [[]], [{}], {"": ""}, ["a", 1, None]]
SCALARS: list[Any] = [None, True, False, 0, -1, -0.0, 1e308, 5e-324, 2**53 + 1, -(2**63), 10**400]
ODD = [*SCALARS, float("nan"), float("inf"), *map(raw, RAW), *ODD_TEXTS, *SMALL, *LARGE]
"""Values that readers do not expect."""

TEXTS = st.text(st.characters(), max_size=20) | st.sampled_from(ODD_TEXTS)
JSON: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
)
"""Any JSON value."""


def example(strategy: SearchStrategy[Any], draw: Random, tried: int = 12) -> Any:
    """One value of a strategy, the same for the same state of `draw`."""
    found: list[Any] = []

    @seed(draw.getrandbits(32))
    @settings(
        max_examples=tried,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return draw.choice(found)


def changed(document: Any, draw: Random, times: int) -> Any:
    """A copy of a document in which some nodes are replaced, moved, doubled, wrapped, renamed or removed."""
    document = json.loads(json.dumps(document))
    for _ in range(times):
        paths = [path for path in places(document) if path]
        if not paths:
            break
        _change(document, draw.choice(paths), _at(document, draw.choice(paths)), draw)
    return document


def _change(document: Any, path: tuple[Any, ...], other: Any, draw: Random) -> None:
    """Changes the node at a path; `other` is a node of the same document."""
    parent, last = _at(document, path[:-1]), path[-1]
    match draw.randrange(8):
        case 0 | 1:
            parent[last] = copy.deepcopy(draw.choice(ODD)) if draw.random() < 0.95 else raw(draw.choice(REFUSED))
        case 2:
            parent[last] = copy.deepcopy(example(JSON, draw))
        case 3:
            parent[last] = copy.deepcopy(other)
        case 4:
            parent[last] = [parent[last]]
        case 5:
            del parent[last]
        case 6 if isinstance(parent, dict):
            parent[str(last) + AGAIN] = copy.deepcopy(draw.choice(ODD))
        case 7 if isinstance(parent, dict):
            parent[str(draw.choice([*ODD, "source", "nbgrader", "metadata"]))] = parent.pop(last)
        case _:
            parent.insert(draw.randint(0, len(parent)), copy.deepcopy(parent[last])) if isinstance(
                parent, list
            ) else None


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def written(document: Any) -> bytes:
    """A document as the bytes of a file: lone surrogates as escapes, `raw` and `AGAIN` as they say."""
    text = json.dumps(document)
    for plain in (*RAW, *REFUSED):
        quoted = json.dumps(raw(plain))
        text = text.replace(f"{quoted}:", '"raw":').replace(quoted, plain)
    return text.replace(AGAIN, "").encode()


def scratched(data: bytes, draw: Random, times: int) -> bytes:
    """Bytes of a file, some of them changed, removed, doubled, inserted or exchanged."""
    found = bytearray(data)
    for _ in range(times):
        start = draw.randrange(len(found) + 1)
        end = min(len(found), start + draw.choice([1, 1, 2, 8, 100, 5000]))
        piece = bytes(found[start:end])
        tokens = bytes(draw.choice(b'{}[],:"0e-\\nu \x7f') for _ in range(len(piece)))
        odd = [draw.randbytes(len(piece)), b"\0", b"\xff", b"\\ud800", b"[" * 2000, b"\xef\xbb\xbf", b"\r\n"]
        insert = draw.choice([b"", piece * 2, tokens, draw.choice(odd)])
        found[start:end] = insert
    return bytes(found[: draw.randrange(len(found) + 1)] if draw.random() < 0.1 else found)
