"""A sheet of paper: the smallest PDF with a few lines of text that every reader opens."""

from __future__ import annotations

from itertools import accumulate


def pdf(*lines: str) -> bytes:
    """One page. The lines are ASCII, without brackets or backslashes."""
    text = b"BT /F 14 Tf 72 720 Td 20 TL " + b" ".join(b"(%b) Tj T*" % line.encode("ascii") for line in lines) + b" ET"
    font = b"<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    objects = [
        b"%PDF-1.4\n",
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n",
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n",
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources%b>>endobj\n" % font,
        b"4 0 obj<</Length %d>>stream\n%b\nendstream endobj\n" % (len(text), text),
    ]
    *places, table = accumulate(map(len, objects))
    entries = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % table
    return b"".join(objects) + b"xref\n0 5\n0000000000 65535 f \n" + entries + trailer
