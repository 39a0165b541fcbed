"""TLS: a certificate for the names that Cobalt answers under, and for this machine, from an authority that ends with the process."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cobalt_sandbox.hosts import API, LINK

if TYPE_CHECKING:
    import trustme

#: What a server can be called: as Cobalt, as a neighbour in a network of containers, and on its own machine.
NAMES = (API, LINK, "cobalt", "cobalt-sandbox", "localhost", "127.0.0.1", "::1")


class TLSNotInstalled(Exception):
    """What makes certificates is not installed; the text names the cure."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a server proves itself with, and the certificate, as PEM, of the authority that its clients are to trust."""

    context: ssl.SSLContext
    authority: bytes


def new_identity() -> Identity:
    """With keys that nobody has ever seen and nobody will. Raises TLSNotInstalled."""
    try:
        import trustme  # an extra: few need TLS, and it brings OpenSSL along
    except ImportError:
        raise TLSNotInstalled("TLS needs trustme: pip install 'cobalt-sandbox[tls]'") from None
    authority = trustme.CA(organization_name="cobalt-sandbox", path_length=0)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _present(authority.issue_cert(*NAMES, organization_name="cobalt-sandbox"), context)
    return Identity(context, authority.cert_pem.bytes())


def write_certificate(certificate: bytes, path: Path) -> None:
    """Whoever reads the file finds the old certificate or the new one, never a part. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(certificate)
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def _present(leaf: trustme.LeafCert, context: ssl.SSLContext) -> None:
    """Have a context show a certificate. OpenSSL reads keys from files only, and a key is to be on no disk."""
    if os.name == "nt":  # pragma: no cover  # Windows has no names for what is on no disk
        leaf.configure_cert(context)
        return
    with _as_file(leaf.cert_chain_pems[0].bytes()) as certificate, _as_file(leaf.private_key_pem.bytes()) as key:
        context.load_cert_chain(certificate, key)


@contextmanager
def _as_file(text: bytes) -> Iterator[str]:
    """A path under which a short text can be read once; it is held by a pipe."""
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(text)
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)
