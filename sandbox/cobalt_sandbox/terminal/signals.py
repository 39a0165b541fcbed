"""Signals as messages, so that a command that waits for something is told of them in the same place."""

from __future__ import annotations

import signal
import socket
from types import TracebackType
from typing import Self

#: Not every system has every one.
NAMES = ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP")
ENDING = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))
#: What a terminal sends, to everybody in its foreground.
TYPED = ENDING[:2]


class Messages:
    """The numbers of signals as they come, and ``0`` where somebody else has something to tell. Use it with ``with``.

    They go through a socket, into which the interpreter writes them: a lock that is waited for can miss one that comes
    just before the waiting begins. What this process was started to ignore, as by nohup, stays ignored.
    """

    def __enter__(self) -> Self:
        self._heard, self._told = socket.socketpair()
        self._told.setblocking(False)
        self._former_fd = signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
        heard = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
        self._former = {number: signal.signal(number, lambda *_: None) for number in heard}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, deed in self._former.items():
            signal.signal(number, deed)
        signal.set_wakeup_fd(self._former_fd)
        self._heard.close()
        self._told.close()

    def tell(self) -> None:
        """From any thread."""
        self._told.send(b"\0")

    def next(self) -> int:
        """Wait for one."""
        return self._heard.recv(1)[0]
