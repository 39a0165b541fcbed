"""The names of files: what is kept of one that was sent, which kind of file it tells, and how a header tells it again."""

from __future__ import annotations

import re
from urllib.parse import quote

#: In characters: what file systems take at most.
MOST_CHARACTERS = 255
UNKNOWN_TYPE = "application/octet-stream"

#: Our own, since a machine's differ.
_TYPES = {
    ".bmp": "image/bmp",
    ".csv": "text/csv",
    ".dcm": "application/dicom",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".gif": "image/gif",
    ".htm": "text/html",
    ".html": "text/html",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".rtf": "application/rtf",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".txt": "text/plain",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xml": "application/xml",
    ".zip": "application/zip",
}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}( *;[ -~]*)?")


def kept_name(sent: str) -> str:
    """The last component of a path, of Windows too, without control characters; of a very long one, its end.

    Empty when nothing is left.
    """
    last = re.split(r"[/\\]", _CONTROLS.sub("", sent))[-1].strip()
    return "" if last in (".", "..") else last[-MOST_CHARACTERS:]


def type_of(name: str) -> str:
    """The media type that an extension stands for."""
    _, dot, extension = name.rpartition(".")
    return _TYPES.get(dot + extension.lower(), UNKNOWN_TYPE)


def is_media_type(text: str) -> bool:
    """``application/pdf``, with parameters or without."""
    return len(text) <= MOST_CHARACTERS and _MEDIA_TYPE.fullmatch(text) is not None


def disposition(name: str) -> bytes:
    """The value of Content-Disposition. What a quoted text cannot hold is told once more, as RFC 6266 has it."""
    plain = re.sub(r'[^ -~]|["\\]', "_", name)
    told = f'attachment; filename="{plain}"'
    return (told if plain == name else f"{told}; filename*=UTF-8''{quote(name, safe='')}").encode()
