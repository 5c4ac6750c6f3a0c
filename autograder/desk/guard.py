"""Lets only invited graders in, and only their own pages ask for anything.

Each request needs the cookie that a link with a token sets. A page of another site cannot use it: the cookie is not
sent along (`SameSite=Strict`), `Sec-Fetch-Site` and `Origin` are checked, and so is the host's name, since another site
may give its own name this machine's address.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autograder.desk.graders import Graders

COOKIE = "autograder-desk"
"""Begin of the cookie's name; the port follows, since browsers send cookies to all ports of a machine."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "style-src-attr 'unsafe-inline'; "  # KaTeX sets style attributes; a student's text cannot, since all is escaped
    "img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_ENTERED = (
    '<!doctype html><html lang="en"><head><title>Grading desk</title>'
    '<link rel="icon" href="/static/icon.svg"><meta http-equiv="refresh" content="0; url=/"></head>'
    '<body><a href="/">Go to the desk</a></body></html>'
)
MOST_BYTES = 1 << 20
"""Largest body of a request."""


class Guard:
    """The middleware in front of all pages.

    Args:
        app: the pages.
        graders: who was invited.
        hosts: names by which the desk may be asked; all if it contains `*`.
        secure: whether browsers reach it by HTTPS, so that cookies are sent only there.
    """

    def __init__(self, app: ASGIApp, graders: Graders, hosts: Collection[str], *, secure: bool = False) -> None:
        self._app, self._graders, self._hosts, self._secure = app, graders, hosts, secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or passes it on to the pages."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        answer = self._refused(scope)
        await (answer or self._app)(scope, receive, guarded)

    def _refused(self, scope: Scope) -> Response | None:
        """The answer to a request that the pages do not get; None if they do."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            name = ""
        if "*" not in self._hosts and name not in self._hosts:
            return _said(f"This desk does not answer to the name {name!r}; start it with --host.", 421)
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return _said("This is not a page of the desk.", 405)
        if scope["method"] == "POST" and not _is_own(headers, host):
            return _said("This request did not come from a page of the desk; nothing was done.", 403)
        if "transfer-encoding" in headers:
            return _said("The request does not say its length; nothing was done.", 411)
        if scope["method"] == "POST" and not headers.get("content-length", "").isdigit():
            return _said("The request does not say its length; nothing was done.", 411)
        if int(headers.get("content-length", "0")) > MOST_BYTES:
            return _said("This is more than a grading can hold; nothing was saved. Shorten the comment.", 413)
        cookie = _cookie(host)
        if scope["path"] == "/enter":
            return self._enter(scope, cookie)
        grader = self._graders.grader(cookie_parser(headers.get("cookie", "")).get(cookie, ""))
        if grader is None:
            return _said("Open the link with your token: `autograder desk` printed it, or who invited you has it.", 401)
        scope["grader"] = grader
        return None

    def _enter(self, scope: Scope, cookie: str) -> Response:
        token = scope["query_string"].decode("ascii", "replace").removeprefix("token=")
        if self._graders.grader(token) is None:
            return _said("This link is not valid any more; ask for a new one (`autograder desk invite NAME`).", 401)
        answer = HTMLResponse(_ENTERED)  # not a redirect: that would still count as coming from another site
        answer.set_cookie(cookie, token, httponly=True, samesite="strict", secure=self._secure, max_age=180 * 86400)
        return answer


def _cookie(host: str) -> str:
    """The cookie's name for this `Host` header."""
    port = host.rpartition(":")[2]
    return f"{COOKIE}-{port}" if port.isdigit() and len(port) <= 5 else COOKIE


def _is_own(headers: Headers, host: str) -> bool:
    """Whether a page of the desk itself sent the request."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    return origin is None or hmac.compare_digest(urlsplit(origin).netloc.encode(), host.encode())


def _said(text: str, status: int) -> Response:
    return PlainTextResponse(text, status_code=status)
