"""What the server says on standard error: text on a terminal, JSON lines elsewhere."""

from __future__ import annotations

import json
import logging
import sys


class JsonLines(logging.Formatter):
    """One object a line: ``level``, ``logger``, ``message``, and ``trace`` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_to_stderr(least: str = "INFO") -> None:
    """``least`` is from which level on the sandbox's own lines are written."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s  %(message)s") if sys.stderr.isatty() else JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("cobalt_sandbox").setLevel(least)
