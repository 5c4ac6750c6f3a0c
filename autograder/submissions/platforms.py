"""Reads from the names of files and folders in a course platform's download whose they are, and of which attempt.

Each platform is an entry of `PLATFORMS`. A download is a platform's if all names that may be submissions follow its
pattern.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from os.path import commonprefix

from autograder.core.student_key import loose_key

_MOST_READ = 400
"""Characters of a name that are read; what follows belongs to the student's own name for the file."""
_OWN_FILE = re.compile(
    r"(readme(\.\w+)?|index\.html?|thumbs\.db|desktop\.ini|.*\.(csv|tsv|ya?ml|xml|xlsx?|ods|log))", re.IGNORECASE
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class Owner:
    """The student that a top-level file or folder belongs to."""

    name: str
    file: str = ""
    """The student's name for the file, if the platform added a prefix."""
    number: str = ""
    """The platform's number of the student."""
    attempt: tuple[int, ...] = ()
    """When it was submitted, from the year on; empty if the platform does not say."""
    is_typed: bool = False
    """Whether the platform wrote it: text that the student typed there, or a receipt."""
    is_late: bool = False
    """Whether the platform's name says that it was submitted late. It does not say when."""

    @property
    def is_of_platform(self) -> bool:
        """Whether a platform's name says more than whose it is."""
        return self.number != "" or self.attempt != ()


@dataclass(frozen=True)
class Platform:
    """How a course platform names files and folders."""

    name: str
    readings: Callable[[str], Sequence[Owner]]
    """Name → all ways to read it, the shortest student name first; empty if it does not follow the pattern."""
    settled: Callable[[Mapping[str, Sequence[Owner]], Container[str]], dict[str, Owner]]
    """Readings of all names of the class, and the known numbers of students → the owner for each name."""
    has_folders: bool = True
    """Whether its downloads may have folders at the top, and not only files."""


def platform_of(names: Collection[str], folders: bool) -> Platform | None:
    """The platform whose pattern all these names of files, or of folders, follow; None if there is none."""
    fitting = (each for each in PLATFORMS if each.has_folders or not folders)
    return next((each for each in fitting if names and all(map(each.readings, names))), None)


def owners(platform: Platform, names: Iterable[str], numbers: Container[str] = ()) -> dict[str, Owner]:
    """The owner for each of these names that follows the platform's pattern.

    Args:
        platform: the platform of the download.
        names: names of files or folders.
        numbers: the platform's numbers of the students, if they are known.
    """
    readings = {name: platform.readings(name) for name in names}
    return platform.settled({name: found for name, found in readings.items() if found}, numbers)


def is_of_platform(name: str) -> bool:
    """Returns whether a top-level file of this name is an index, a list or the like, and no student's."""
    return _OWN_FILE.fullmatch(name) is not None


_MOST_TYPED = 100_000
"""Bytes of a page that are read; a student may have written a file of that name."""


def typed_text(data: bytes) -> str:
    """What the student typed, in a page or a receipt that the platform wrote; empty if nothing."""
    text = data[:_MOST_TYPED].decode("utf-8-sig", "replace")
    if re.match(r"Name: ", text):  # Blackboard's receipt
        parts = re.findall(r"^(?:Submission Field|Comments):[ \t]*\n?(.*?)(?=^[A-Z][\w ]+:|\Z)", text, re.M | re.S)
        text = "\n".join(part for part in parts if not re.match(r"\s*There (is|are) no ", part))
    return " ".join(html.unescape(re.sub(r"<[^<>]*>", " ", text)).split())


# --- Canvas -----------------------------------------------------------------------------------------------------------

_CANVAS = re.compile(r"(?=_(?P<number>\d+)_(?P<upload>\d+)_(?P<file>[^/]+)$)")
_CANVAS_TEXT = re.compile(r"(?P<who>[^/]*?)(?P<late>_LATE|_late)?_(?P<number>\d+)_(?P<file>(text|link)\.html)")
_CANVAS_ANONYMOUS = re.compile(r"(?P<late>LATE_)?(?P<who>anon_[A-Za-z0-9]+)_(?P<number>)\d+_(?P<file>[^/]+)")
"""`<name>[_LATE]_<Canvas's number of the student>_<number of the upload>_<file>`. Names and files may contain numbers,
too; `..._text.html` is text that a student typed in place of a file. Older versions of Canvas wrote `_late`."""
_CANVAS_NAME = re.compile(r"(?P<who>.*?)(?P<late>_LATE|_late)?", re.DOTALL)
"""What is before the number of the student."""


def _canvas_readings(name: str) -> list[Owner]:
    return [_with_rest(owner, name[_MOST_READ:]) for owner in _short_canvas_readings(name[:_MOST_READ])]


def _with_rest(owner: Owner, rest: str) -> Owner:
    """The owner of a name that is longer than what was read."""
    return replace(owner, file=owner.file + rest) if rest else owner


def _short_canvas_readings(name: str) -> list[Owner]:
    typed = _CANVAS_TEXT.fullmatch(name)
    whole = _CANVAS_ANONYMOUS.fullmatch(name) or typed
    if whole is not None:
        who = "_".join(filter(None, (whole["who"], whole["number"])))
        is_late = whole["late"] is not None
        return [Owner(who, whole["file"], whole["number"], is_typed=whole is typed, is_late=is_late)]
    ways = []
    for match in _CANVAS.finditer(name):
        before = _CANVAS_NAME.fullmatch(name, 0, match.start())
        who, mark = before.groups() if before else ("", None)
        ways.append(Owner(f"{who}_{match['number']}", match["file"], match["number"], is_late=mark is not None))
        if mark == "_LATE" and len(ways) == 1:  # Canvas writes names in lower case: this is its mark, and no name's
            break
    return ways


def _by_number(readings: Mapping[str, Sequence[Owner]], numbers: Container[str]) -> dict[str, Owner]:
    """The only reading with a known number, else the only one, else everything before the file's name, unnumbered."""
    found = {}
    for name, ways in readings.items():
        known = [way for way in ways if way.number in numbers]
        if len(known) == 1 or len(ways) == 1:
            found[name] = (known or ways)[0]
        else:
            found[name] = Owner(ways[-1].name, ways[-1].file, is_late=all(way.is_late for way in ways))
    return found


# --- platforms with one way to read a name ----------------------------------------------------------------------------


def _readings(pattern: str) -> Callable[[str], list[Owner]]:
    """Reads names by a pattern with the groups `who` and, where the platform has them, the other fields of `Owner`."""
    compiled = re.compile(pattern, re.DOTALL)

    def read(name: str) -> list[Owner]:
        rest = name[_MOST_READ:]
        found = compiled.fullmatch(name[:_MOST_READ])
        if found is None or (rest and not found.groupdict().get("file")):
            return []
        parts = {group: text or "" for group, text in found.groupdict().items()}
        file, number, attempt = parts.get("file", ""), parts.get("number", ""), _time(parts.get("attempt", ""))
        return [_with_rest(Owner(parts["who"], file, number, attempt, bool(parts.get("typed"))), rest)]

    return read


def _time(text: str) -> tuple[int, ...]:
    """`2027-01-17-23-12-05` or `Jan 17, 2027 1112 PM` as numbers; empty if it is neither."""
    if re.fullmatch(r"\d+(-\d+){5}", text):
        return tuple(map(int, text.split("-")))
    words = re.fullmatch(r"([A-Za-z]{3})[a-z]*\.? (\d+),? (\d{4}) (\d{1,2}):?(\d\d)(?: ?([AP])M)?", text)
    if words is None or words[1].lower() not in _MONTHS:
        return ()
    hour = int(words[4]) % 12 + 12 * (words[6] == "P") if words[6] else int(words[4])
    return int(words[3]), _MONTHS.index(words[1].lower()) + 1, int(words[2]), hour, int(words[5])


def _by_full_name(readings: Mapping[str, Sequence[Owner]], numbers: Container[str]) -> dict[str, Owner]:
    """The owners by their names; with the number if two people have the same name."""
    found = {name: ways[0] for name, ways in readings.items()}
    people = defaultdict(set)
    for owner in found.values():
        people[loose_key(owner.name)].add(owner.number)
    return {
        name: replace(owner, name=f"{owner.name}_{owner.number}") if len(people[loose_key(owner.name)]) > 1 else owner
        for name, owner in found.items()
    }


def _by_user_name(readings: Mapping[str, Sequence[Owner]], numbers: Container[str]) -> dict[str, Owner]:
    """The owners by their user names, which follow the assignment's name; both may contain `_`."""
    found = {name: ways[0] for name, ways in readings.items()}
    assignment = commonprefix([owner.name for owner in found.values()]).rpartition("_")[0]
    return {
        name: replace(owner, name=owner.name[len(assignment) + 1 :] if assignment else owner.name.rpartition("_")[2])
        for name, owner in found.items()
    }


PLATFORMS = (
    Platform("Canvas", _canvas_readings, _by_number, has_folders=False),
    Platform(
        "Blackboard",  # <assignment>_<user name>_attempt_<time>[_<file>], and a receipt for each attempt
        _readings(r"(?P<who>[^/]+?_[^/_]+?)_attempt_(?P<attempt>\d+(-\d+){5})((?P<typed>\.txt)|_(?P<file>.+))?"),
        _by_user_name,
    ),
    Platform(
        "Brightspace",  # <number>-<number of the folder> - <full name> - <time>[ - <file>]
        _readings(r"(?P<number>\d+)-\d+ - (?P<who>.+?) - (?P<attempt>[^-]*\b\d{4}\b[^-]*?)( - (?P<file>.+))?"),
        _by_full_name,
    ),
    Platform(
        "Moodle",  # <full name>_<number>_assignsubmission_file_[<file>], and the same with typed text
        _readings(
            r"(?P<who>.+?)_(?P<number>\d+)_assignsubmission_((?P<typed>onlinetext)|[a-z]+)(_(?P<file>.*))?",
        ),
        _by_full_name,
    ),
)
