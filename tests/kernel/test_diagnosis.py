"""Why a signature is wrong: each way of getting it wrong is told from the others, and nothing is claimed that does not fit."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from cobalt_sandbox.config import CLIENT_SECRET
from cobalt_sandbox.testing.diagnosis import why_wrong

SECRET = "whsec_4480E01AA8E0832F051270E82184885D"
OLD = "whsec_4480E01AA8E0832F051270E82184885E"
EVENT: dict[str, Any] = {"id": "1", "data": {"reason": "Überweisung", "days": [1, 2.5]}}
BODY = json.dumps(EVENT, ensure_ascii=False, separators=(",", ":")).encode()
ID, TIME = "b26d42e8", "2026-03-10T10:30:01.885Z"


def signed(body: bytes = BODY, secret: str | bytes = SECRET, algorithm: str = "sha256") -> str:
    return hmac.digest(secret.encode() if isinstance(secret, str) else secret, body, algorithm).hex()


def in_base64(digits: str) -> str:
    return base64.b64encode(bytes.fromhex(digits)).decode()


def headers(signature: str, **others: str) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "webhook-id": ID,
        "webhook-timestamp": TIME,
        "cobalt-verification": signature,
        **others,
    }


def why(signature: str, body: bytes = BODY, secret: str = SECRET, *older: str) -> str | None:
    return why_wrong(headers(signature), body, secret, *older)


def test_nothing_is_wrong_with_the_documented_signature() -> None:
    assert why(signed()) is None
    assert why(signed(b""), b"") is None


# The secret ------------------------------------------------------------------------------------------------------

HEX = SECRET.removeprefix("whsec_")


@pytest.mark.parametrize(
    ("signature", "cause"),
    [
        (signed(secret=OLD), "it was signed with an older secret, number 2 of those given"),
        (signed(secret=HEX), "it was signed with the secret without its 'whsec_'"),
        (
            signed(secret=bytes.fromhex(HEX)),
            "it was signed with the bytes that follow 'whsec_' in hex, not with the text",
        ),
        (
            signed(secret=base64.b64decode(HEX)),
            "it was signed with the bytes that follow 'whsec_' in base64, not with the text",
        ),
        (signed(secret=SECRET + "\n"), "it was signed with the secret and a newline after it"),
        (signed(secret=f'"{SECRET}"'), "it was signed with the secret in quotes"),
        (
            signed(secret=CLIENT_SECRET),
            "it was signed with the client_secret, not with the webhook's own secret",
        ),
    ],
)
def test_it_was_signed_with_another_secret(signature: str, cause: str) -> None:
    assert why(signature, BODY, SECRET, OLD) == cause


@pytest.mark.parametrize("given", [f" {SECRET}", f"{SECRET}\r\n", f'"{SECRET}"', f"\t'{SECRET}' "])
def test_the_secret_was_copied_with_something_around_it(given: str) -> None:
    assert why(signed(), BODY, given) == "the secret given here has spaces, a newline or quotes around it"


def test_the_secret_was_copied_without_its_beginning() -> None:
    assert why(signed(), BODY, HEX) == "the secret given here lacks its 'whsec_'"


def test_a_client_secret_is_recognised_by_its_form() -> None:
    said = why(signed(), BODY, CLIENT_SECRET)
    assert said is not None
    assert said.startswith("the secret given here is a client_secret; a webhook has its own (whsec_…)")


def test_a_secret_that_nobody_knows_is_another_one() -> None:
    said = why(signed(secret="whsec_of_another_webhook"))
    assert said is not None
    assert said.startswith(
        "it was signed with another secret (an older one, or another webhook's), or the body was changed"
    )


def test_no_secret_is_ever_said() -> None:
    for signature in (signed(), signed(secret=OLD), "0" * 64, "nonsense"):
        for given in (f"{SECRET} ", HEX, OLD, CLIENT_SECRET):
            said = why(signature, BODY, given, SECRET) or ""
            assert not any(secret in said for secret in (SECRET, HEX, OLD, CLIENT_SECRET))


# The body --------------------------------------------------------------------------------------------------------

ANEW = "it was signed over the same JSON written anew ({}), not over the bytes that came"
SPACES, ASCII = "with a space after each comma and colon", "letters beyond ASCII as \\u escapes"


@pytest.mark.parametrize(
    ("style", "differences"),
    [
        ({}, f"{SPACES}, {ASCII}"),
        ({"ensure_ascii": False}, SPACES),
        ({"separators": (",", ":")}, ASCII),
        ({"separators": (",", ":"), "ensure_ascii": False, "sort_keys": True}, "its keys sorted"),
        ({"sort_keys": True}, f"{SPACES}, {ASCII}, its keys sorted"),
        ({"indent": 2, "ensure_ascii": False}, "indented by 2"),
        ({"indent": 4}, f"indented by 4, {ASCII}"),
    ],
)
def test_the_json_was_written_anew_before_it_was_signed(style: dict[str, Any], differences: str) -> None:
    assert why(signed(json.dumps(EVENT, **style).encode())) == ANEW.format(differences)


def test_the_json_was_written_anew_after_it_was_signed() -> None:
    assert why(signed(), json.dumps(EVENT).encode()) == ANEW.format("without spaces, letters beyond ASCII as they are")


def test_a_body_in_a_style_of_its_own_is_compared_in_full() -> None:
    body = b'{"id" :"1"}'
    assert why(signed(b'{"id":"1"}'), body) == ANEW.format("without spaces, letters beyond ASCII as they are")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (BODY + b"\n", "it was signed with a newline at the end of the body"),
        (BODY + b"\r\n", "it was signed with a newline at the end of the body"),
        (
            f"{TIME}.".encode() + BODY,
            "it was signed with the timestamp and a point before the body, not the body alone",
        ),
        (
            f"{ID}.{TIME}.".encode() + BODY,
            "it was signed with the id, the timestamp and points before the body, not the body alone",
        ),
        (
            f"v0:{TIME}:".encode() + BODY,
            "it was signed with 'v0:', the timestamp and a colon before the body, not the body alone",
        ),
        (TIME.encode() + BODY, "it was signed with the timestamp before the body, not the body alone"),
        (b"", "it was signed with an empty body"),
    ],
)
def test_something_else_than_the_body_was_signed(text: bytes, cause: str) -> None:
    assert why(signed(text)) == cause


@pytest.mark.parametrize("body", [BODY + b"\n", BODY + b"\r\n", b" " + BODY])
def test_something_was_added_to_the_body_after_it_was_signed(body: bytes) -> None:
    assert why(signed(), body) == "a newline or space at an end of the body that came was not signed"


# The digest, and how it is written -------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha384", "sha512"])
def test_another_hash_was_used(algorithm: str) -> None:
    said = why(signed(algorithm=algorithm))
    assert said == f"it is an HMAC-{algorithm.upper()}, not an HMAC-SHA256"


@pytest.mark.parametrize(
    ("digest", "cause"),
    [
        (hashlib.sha256(BODY), "it is the SHA-256 of the body alone, without a secret"),
        (hashlib.sha256(SECRET.encode() + BODY), "it is the SHA-256 of the secret followed by the body, not an HMAC"),
        (hashlib.sha256(BODY + SECRET.encode()), "it is the SHA-256 of the body followed by the secret, not an HMAC"),
    ],
)
def test_it_is_no_hmac(digest: Any, cause: str) -> None:
    assert why(digest.hexdigest()) == cause


def test_secret_and_body_changed_places() -> None:
    said = why(signed(SECRET.encode(), BODY))
    assert said == "secret and body have changed places: the secret is the key of the HMAC"


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        (str.upper, "its hex digits are upper case, not lower case"),
        (in_base64, "it is in base64, not in hex"),
        (
            lambda digits: in_base64(digits).replace("+", "-").replace("/", "_").rstrip("="),
            "it is in base64, not in hex",
        ),
        (
            lambda digits: base64.b64encode(digits.encode()).decode(),
            "it is the base64 of the hex digits, not the digits themselves",
        ),
        ("sha256={}".format, "it has 'sha256=' before its digits"),
        ("v1,{}".format, "it has 'v1,' before its digits"),
        ('"{}"'.format, "it has quotes around it"),
        (lambda digits: digits[:40], "it is cut off: 40 of its 64 digits are there"),
    ],
)
def test_the_right_digest_is_written_in_the_wrong_way(written: Callable[[str], str], cause: str) -> None:
    assert why(written(signed())) == cause


@pytest.mark.parametrize("signature", ["nonsense", "0", "zz" * 32, "ü", "1234567890abcdef"])
def test_what_is_no_digest_is_called_so(signature: str) -> None:
    said = why(signature)
    assert said == f"it is no SHA-256 in hex, which has 64 digits: it has {len(signature)} characters"


# The header ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x-cobalt-verification", "x-hub-signature-256", "cobalt-signature"])
def test_it_is_in_another_header(name: str) -> None:
    said = why_wrong({"host": "x", name: signed()}, BODY, SECRET)
    assert said == f"it is in the header {name!r}, and belongs in 'cobalt-verification'"


def test_there_is_no_signature_at_all() -> None:
    assert why_wrong({"host": "x"}, BODY, SECRET) == "the header 'cobalt-verification' is missing"
    assert why("") == "the header 'cobalt-verification' is empty"


# Several at once -------------------------------------------------------------------------------------------------


def test_all_causes_are_named_when_there_are_several() -> None:
    of_svix = "v1," + in_base64(signed(f"{ID}.{TIME}.".encode() + BODY, base64.b64decode(HEX)))
    assert why(of_svix) == (
        "it has 'v1,' before its digits; it is in base64, not in hex; "
        "it was signed with the bytes that follow 'whsec_' in base64, not with the text; "
        "it was signed with the id, the timestamp and points before the body, not the body alone"
    )
    of_github = {"x-hub-signature-256": f"sha256={signed(secret=OLD)}"}
    assert why_wrong(of_github, BODY, SECRET, OLD) == (
        "it is in the header 'x-hub-signature-256', and belongs in 'cobalt-verification'; "
        "it has 'sha256=' before its digits; it was signed with an older secret, number 2 of those given"
    )


def test_the_fewest_causes_are_named() -> None:
    assert why(signed(b"[1]"), b"[1]\n") == "a newline or space at an end of the body that came was not signed"


@pytest.mark.parametrize("body", [b"no JSON", b"\xff", b"[" * 2000, b'"\\ud800"'])
def test_a_body_that_is_no_json_is_no_hindrance(body: bytes) -> None:
    assert why(signed(body + b"\n"), body) == "it was signed with a newline at the end of the body"


def test_of_a_large_body_only_the_likeliest_causes_are_tried() -> None:
    body = b"[" + b" " * 8_000_000 + b"]"
    assert why(signed(body + b"\n"), body) == "it was signed with a newline at the end of the body"
    said = why("0" * 64, body)
    assert said is not None
    assert said.startswith("it was signed with another secret")
