"""Why a webhook's signature is wrong: every way in which one goes wrong is tried against the one that came."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from pydantic_core import from_json

from cobalt_sandbox.config import CLIENT_SECRET

HEADER = "cobalt-verification"
PREFIX = "whsec_"

#: A larger body is not written anew in other styles, and no more bytes than these are hashed in search of a cause.
STYLED_BYTES = 256 * 1024
HASHED_BYTES = 64 * 1024 * 1024
#: A signature that is cut off is recognised by this many of its first digits.
FIRST_DIGITS = 16

Differences = tuple[str, ...]


class Way(NamedTuple):
    """Something that might have been signed, or signed with, or sent, and how that differs from what it should be."""

    differences: Differences
    value: bytes


class Method(NamedTuple):
    """How a digest might have been computed of a secret and a text."""

    differences: Differences
    digest: Callable[[bytes, bytes], bytes]


def why_wrong(headers: Mapping[str, str], body: bytes, secret: str, *older: str) -> str | None:
    """``None`` if the webhook was signed with ``secret``; otherwise what is wrong with its signature, in words.

    ``headers`` have lower-case names; ``body`` is raw; ``older`` are secrets that the webhook had before. A cause is
    only named after the signature was made again with it, so what is said of the sender is certain; where nothing
    fits, the text says what the secret and the signature look like.
    """
    causes = _causes(headers, body, secret, older)
    if causes is None:
        causes = (*_absence(headers), *_appearances(headers.get(HEADER, ""), body, secret))
    return "; ".join(causes) or None


# The search ------------------------------------------------------------------------------------------------------


def _causes(headers: Mapping[str, str], body: bytes, secret: str, older: Sequence[str]) -> Differences | None:
    """The fewest differences with which the signature fits, which are none if it is right, or ``None`` if it never does."""
    sent = (way for way in _sent(headers) if len(way.value) in METHODS)
    ways = product(sent, _secrets(secret, older), _texts(headers, body))
    by_differences = sorted(ways, key=lambda ways: sum(len(way.differences) for way in ways))
    left = HASHED_BYTES
    for digest, key, text in by_differences:
        for method in METHODS[len(digest.value)]:
            left -= len(text.value)
            if left < 0:
                return None
            if hmac.compare_digest(method.digest(key.value, text.value), digest.value):
                return digest.differences + key.differences + method.differences + text.differences
    return None


def _hmac(algorithm: str) -> Callable[[bytes, bytes], bytes]:
    return lambda secret, text: hmac.digest(secret, text, algorithm)


#: By the length of the digest in bytes.
METHODS: Mapping[int, Sequence[Method]] = {
    16: [Method(("it is an HMAC-MD5, not an HMAC-SHA256",), _hmac("md5"))],
    20: [Method(("it is an HMAC-SHA1, not an HMAC-SHA256",), _hmac("sha1"))],
    32: [
        Method((), _hmac("sha256")),
        Method(
            ("it is the SHA-256 of the body alone, without a secret",), lambda _, text: hashlib.sha256(text).digest()
        ),
        Method(
            ("it is the SHA-256 of the secret followed by the body, not an HMAC",),
            lambda secret, text: hashlib.sha256(secret + text).digest(),
        ),
        Method(
            ("it is the SHA-256 of the body followed by the secret, not an HMAC",),
            lambda secret, text: hashlib.sha256(text + secret).digest(),
        ),
        Method(
            ("secret and body have changed places: the secret is the key of the HMAC",),
            lambda secret, text: hmac.digest(text, secret, "sha256"),
        ),
    ],
    48: [Method(("it is an HMAC-SHA384, not an HMAC-SHA256",), _hmac("sha384"))],
    64: [Method(("it is an HMAC-SHA512, not an HMAC-SHA256",), _hmac("sha512"))],
}


# What was sent ---------------------------------------------------------------------------------------------------


def _sent(headers: Mapping[str, str]) -> Iterator[Way]:
    """The digests in all headers, that of the right one first."""
    for name in sorted(headers, key=lambda name: name != HEADER):
        elsewhere = () if name == HEADER else (f"it is in the header {name!r}, and belongs in {HEADER!r}",)
        for differences, digest in _digests(headers[name]):
            yield Way(elsewhere + differences, digest)


def _digests(value: str) -> Iterator[Way]:
    bare = value.strip("\"' ")
    differences: Differences = () if bare == value else ("it has quotes around it",)
    if before := BEFORE_DIGITS.match(bare):
        differences += (f"it has {before.group()!r} before its digits",)
        bare = bare[before.end() :]
    if (digest := _from_hex(bare)) is not None:
        upper = () if bare == bare.lower() else ("its hex digits are upper case, not lower case",)
        yield Way(differences + upper, digest)
    if (decoded := _from_base64(bare)) is not None:
        yield Way((*differences, "it is in base64, not in hex"), decoded)
        if (digest := _from_hex(decoded.decode("latin-1"))) is not None:
            yield Way((*differences, "it is the base64 of the hex digits, not the digits themselves"), digest)


BEFORE_DIGITS = re.compile(r"(?:(?:hmac-)?sha-?\d+|v\d)[=,:]", re.IGNORECASE)


def _from_hex(text: str) -> bytes | None:
    return bytes.fromhex(text) if re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", text) else None


def _from_base64(text: str) -> bytes | None:
    """Either alphabet, with or without its padding."""
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except ValueError:
        return None


# What it was signed with -----------------------------------------------------------------------------------------


def _secrets(secret: str, older: Sequence[str]) -> Iterator[Way]:
    yield from _forms(secret, ())
    for number, old in enumerate(older, 2):
        yield from _forms(old, (f"it was signed with an older secret, number {number} of those given",))
    yield Way(
        ('it was signed wrongly on purpose, by a fault {"bad_signature": true} of the sandbox',),
        f"not {secret}".encode(),
    )
    yield Way(("it was signed with the client_secret, not with the webhook's own secret",), CLIENT_SECRET.encode())


def _forms(secret: str, older: Differences) -> Iterator[Way]:
    """A secret as it is, as it may have been mistaken for by whoever signed, and as it may be mistyped here."""
    key, bare = secret.encode(), secret.strip("\"' \t\r\n")
    yield Way(older, key)
    if bare != secret:
        yield Way((*older, "the secret given here has spaces, a newline or quotes around it"), bare.encode())
    if bare.startswith(PREFIX):
        rest = bare.removeprefix(PREFIX)
        yield Way((*older, f"it was signed with the secret without its {PREFIX!r}"), rest.encode())
        for how, decoded in (("hex", _from_hex(rest)), ("base64", _from_base64(rest))):
            if decoded is not None:
                yield Way(
                    (*older, f"it was signed with the bytes that follow {PREFIX!r} in {how}, not with the text"),
                    decoded,
                )
    else:
        yield Way((*older, f"the secret given here lacks its {PREFIX!r}"), (PREFIX + bare).encode())
    yield Way((*older, "it was signed with the secret and a newline after it"), f"{bare}\n".encode())
    yield Way((*older, "it was signed with the secret in quotes"), f'"{bare}"'.encode())


# What was signed -------------------------------------------------------------------------------------------------

LAYOUTS: Sequence[tuple[str, dict[str, Any]]] = (
    ("without spaces", {"separators": (",", ":")}),
    ("with a space after each comma and colon", {"separators": (", ", ": ")}),
    ("indented by 2", {"indent": 2}),
    ("indented by 4", {"indent": 4}),
)
ESCAPES = ("letters beyond ASCII as they are", "letters beyond ASCII as \\u escapes")


def _texts(headers: Mapping[str, str], body: bytes) -> Iterator[Way]:
    yield Way((), body)
    if (stripped := body.strip()) != body:
        yield Way(("a newline or space at an end of the body that came was not signed",), stripped)
    forms = [Way((), body), *(_forms_of_json(body) if len(body) <= STYLED_BYTES else ())]
    yield from forms[1:]
    for end in (b"\n", b"\r\n"):
        for differences, form in forms:
            yield Way((*differences, "it was signed with a newline at the end of the body"), form + end)
    time, id = headers.get("webhook-timestamp", ""), headers.get("webhook-id", "")
    for before, what in (
        (f"{time}.", "the timestamp and a point"),
        (f"{id}.{time}.", "the id, the timestamp and points"),
        (f"v0:{time}:", "'v0:', the timestamp and a colon"),
        (time, "the timestamp"),
    ):
        yield Way((f"it was signed with {what} before the body, not the body alone",), before.encode() + body)
    yield Way(("it was signed with an empty body",), b"")


def _forms_of_json(body: bytes) -> Iterator[Way]:
    """The same JSON, written in other ways, and in which points each differs from how it came."""
    try:
        document = from_json(body)
    except ValueError:
        return
    styles = [(layout, ascii) for layout in range(len(LAYOUTS)) for ascii in (False, True)]
    own = next((style for style in styles if _written(document, style) == body), None)
    seen = {body}
    for in_order, style in product((False, True), styles):
        text = _written(document, style, in_order=in_order)
        if text not in seen:
            seen.add(text)
            differs = [*_changes(style, own), *["its keys sorted"] * in_order]
            how = ", ".join(differs)
            yield Way((f"it was signed over the same JSON written anew ({how}), not over the bytes that came",), text)


def _changes(style: tuple[int, bool], own: tuple[int, bool] | None) -> Iterator[str]:
    """In which points a style of writing JSON is not that of the body."""
    layout, escapes = style
    if own is None or own[0] != layout:
        yield LAYOUTS[layout][0]
    if own is None or own[1] != escapes:
        yield ESCAPES[escapes]


def _written(document: Any, style: tuple[int, bool], *, in_order: bool = False) -> bytes:
    layout = LAYOUTS[style[0]][1]
    return json.dumps(document, ensure_ascii=style[1], sort_keys=in_order, **layout).encode()


# What it looks like ----------------------------------------------------------------------------------------------


def _absence(headers: Mapping[str, str]) -> Iterator[str]:
    if not headers.get(HEADER):
        yield f"the header {HEADER!r} is {'empty' if HEADER in headers else 'missing'}"


def _appearances(signature: str, body: bytes, secret: str) -> Iterator[str]:
    """What can be said when nothing fits."""
    right = _hmac("sha256")(secret.encode(), body).hex()
    if len(signature) >= FIRST_DIGITS and right.startswith(signature.lower()):
        yield f"it is cut off: {len(signature)} of its 64 digits are there"
        return
    if signature and not re.fullmatch(r"[0-9A-Fa-f]{64}", signature):
        yield f"it is no SHA-256 in hex, which has 64 digits: it has {len(signature)} characters"
    elif secret.strip().startswith("cs_"):
        yield f"the secret given here is a client_secret; a webhook has its own ({PREFIX}…), with which POST /v1/webhook answers"
    elif signature:
        yield "it was signed with another secret (an older one, or another webhook's), or the body was changed on its way"
