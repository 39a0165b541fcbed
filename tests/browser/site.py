"""A client's own web site, on an origin of its own: the pages in ``client/``, and the URL that Link calls back."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

PAGES = Path(__file__).parent / "client"
#: What the documented snippet has, and a client fills in.
INIT, TOKEN = "https://link.usecobalt.com/init.js", "<link_token>"


class Site:
    """``/lightbox`` and ``/hook`` are pages that open Link with the token of their query, from the script at ``init``.

    It is known as localhost and the sandbox as 127.0.0.1, so that they are two sites to a browser and not only two origins.
    """

    def __init__(self, init: str, modules: Path) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _answering(init, modules))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://localhost:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _answering(init: str, modules: Path) -> type[BaseHTTPRequestHandler]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            token = parse_qs(address.query).get("token", [""])[0]
            content, kind = _found(address.path, modules)
            if kind == "text/html":
                content = content.replace(INIT, init).replace(TOKEN, token)
            self.send_response(200)
            self.send_header("content-type", f"{kind}; charset=utf-8")
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is its own."""

    return Answering


def _found(path: str, modules: Path) -> tuple[str, str]:
    if path.startswith("/npm/"):
        return (modules / path.removeprefix("/npm/")).read_text(), "text/javascript"
    page = PAGES / f"{path[1:]}.html"
    return (page.read_text() if page.is_file() else "<!doctype html><title>Called back</title>"), "text/html"
