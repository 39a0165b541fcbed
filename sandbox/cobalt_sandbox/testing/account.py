"""``Account``: who calls the documented API, and how a request of the documentation becomes one of theirs."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from cobalt_sandbox import client
from cobalt_sandbox.client import Answer
from cobalt_sandbox.config import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET

#: What may stand in a path as it is; ``%`` begins what is encoded already.
PLAIN = "/%:@!$&'()*+,;="
BOUNDARY = "a-boundary"
LAST_BOUNDARY = f"--{BOUNDARY}--\r\n".encode()

Json = dict[str, Any]


class Account(NamedTuple):
    """Credentials, and the server that they are for; ``patience`` is how many seconds it may be silent."""

    url: str
    client_id: str
    client_secret: str
    access_token: str
    patience: float

    def answer(self, documented: Json, kept: Mapping[str, Any]) -> Answer:
        """That to a documented request, sent as this account's own, with what was ``kept`` in place of each ``{name}``.

        Raises one of client.UNANSWERED.
        """
        own = self._own(documented, {name: str(value) for name, value in kept.items()})
        path = self._own(documented["path"], {name: quote(str(value), safe="") for name, value in kept.items()})
        query = f"?{urlencode(own['query'], quote_via=quote)}" if own.get("query") else ""
        content_type, content = _content(own)
        headers = {
            "User-Agent": "cobalt-sandbox",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "access_token": self.access_token,
            "Content-Type": content_type,
            **own.get("headers", {}),
        }
        return client.answer(
            self.url,
            own["method"],
            quote(path, safe=PLAIN) + query,
            {name: value for name, value in headers.items() if value is not None},
            content,
            patience=self.patience,
        )

    def _own(self, node: Any, kept: Mapping[str, str]) -> Any:
        """The same with what was kept, and with these credentials where the documentation's own are."""
        if isinstance(node, dict):
            return {key: self._own(value, kept) for key, value in node.items()}
        if isinstance(node, list):
            return [self._own(item, kept) for item in node]
        if not isinstance(node, str):
            return node
        samples = {CLIENT_ID: self.client_id, CLIENT_SECRET: self.client_secret, ACCESS_TOKEN: self.access_token}
        plain = node.strip('"')
        if plain in samples:
            return node.replace(plain, samples[plain])
        return re.sub(r"\{(\w+)\}", lambda found: kept.get(found[1], found[0]), node)


def _content(request: Json) -> tuple[str, bytes | None]:
    """The type and the bytes of a body: text as it stands, a value as JSON, or the parts of a form."""
    if "form" in request:
        return f"multipart/form-data; boundary={BOUNDARY}", b"".join(map(_part, request["form"])) + LAST_BOUNDARY
    if "text" in request:
        return "application/json", request["text"].encode()
    return "application/json", json.dumps(request["json"]).encode() if "json" in request else None


def _part(part: Json) -> bytes:
    file = f'; filename="{part["filename"]}"\r\nContent-Type: {part["content_type"]}' if "filename" in part else ""
    content = b64decode(part["content_base64"]) if file else part["value"].encode()
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{part["name"]}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"
