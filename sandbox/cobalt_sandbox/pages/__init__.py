"""The pages, and what the server says to them: Link's, below /link."""

from __future__ import annotations

#: The module that serves the paths which begin with a segment.
LINK = {"session": ("link_session",)}
