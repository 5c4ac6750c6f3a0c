"""Web addresses of the student release, made from `published` in `course.toml`."""

from __future__ import annotations

import re
from urllib.parse import quote

from autograder.course.config import Course

COLAB = "https://colab.research.google.com"
BADGE = f"{COLAB}/assets/colab-badge.svg"
"""Google's image for links to Colab."""
_GITHUB = re.compile(
    r"https?://(?:www\.)?github\.com/(?P<owner>[\w.-]+)/(?P<repository>[\w.-]+?)(?:\.git)?(?:/tree/(?P<branch>\S+?))?/?"
)


def colab_address(course: Course, problem: str) -> str | None:
    """The address that opens a problem's published notebook in Colab; None if the course is not on GitHub.

    The branch is `main`, unless `published` names another one (`https://github.com/owner/repository/tree/2027`).
    """
    found = _GITHUB.fullmatch(course.published)
    if found is None:
        return None
    branch = quote(found["branch"] or "main")
    return f"{COLAB}/github/{found['owner']}/{found['repository']}/blob/{branch}/notebooks/{problem}.ipynb"


def clone_address(course: Course) -> str:
    """The address for `git clone`: `published` without the branch."""
    found = _GITHUB.fullmatch(course.published)
    return f"https://github.com/{found['owner']}/{found['repository']}" if found else course.published


def repository_name(course: Course) -> str:
    """The last part of the published address, `deep-learning-homework`; the course's id if it has none."""
    found = _GITHUB.fullmatch(course.published)
    last = found["repository"] if found else course.published.rstrip("/").rpartition("/")[2].removesuffix(".git")
    return last if re.fullmatch(r"[A-Za-z0-9][\w.-]*", last) else course.id
