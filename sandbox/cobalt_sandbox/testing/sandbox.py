"""``Sandbox``, a real server in a thread, and ``World``, one isolated universe in it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from cobalt_sandbox.client import Control
from cobalt_sandbox.config import CLIENT_ID, CLIENT_SECRET, Config, Unstartable
from cobalt_sandbox.testing.world import World

if TYPE_CHECKING:
    from cobalt_sandbox.serving import Encrypted, Serving
    from cobalt_sandbox.tls import Identity

Json = dict[str, Any]


class Sandbox:
    """A server on a free port of this machine, in a thread of this process. Use it with ``with``.

    ``seed`` decides every id; the other settings are those of ``cobalt-sandbox serve``. With ``tls`` it answers at ``tls_url``,
    too; the certificate that its clients are to trust is in ``ca_file`` as long as it runs.
    """

    ca_file: Path

    def __init__(
        self,
        *,
        seed: int = 0,
        fixtures: Sequence[str] = Config.fixtures,
        latency: str = "brisk",
        clock: Literal["live", "frozen"] = "frozen",
        rate: float = 1.0,
        strict: bool = False,
        control_token: str | None = None,
        snapshot: Path | None = None,
        link_callback: str | None = None,
        link_fixtures: Mapping[str, str] = MappingProxyType({}),
        host: str = "127.0.0.1",
        port: int = 0,
        tls: bool = False,
    ) -> None:
        self.config = Config(
            host=host,
            port=port,
            seed=seed,
            fixtures=tuple(fixtures),
            latency=latency,
            clock=clock,
            rate=rate,
            strict=strict,
            control_token=control_token,
            snapshot=snapshot,
            link_callback=link_callback,
            link_fixtures=link_fixtures,
            tls=tls,
            tls_port=0,
        )
        self.url = ""
        self.tls_url = ""
        self._folder: TemporaryDirectory[str] | None = None
        self._serving: Serving | None = None
        self._thread: threading.Thread | None = None

    @classmethod
    def at(cls, url: str, *, control_token: str | None = None) -> Self:
        """One that runs already, wherever that is; it is neither started nor stopped from here."""
        running = cls(control_token=control_token)
        running.url = url.rstrip("/")
        return running

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when the server answers.

        Raises TLSNotInstalled where that is wanted, OSError when its address is taken, Unstartable when it cannot go on from its
        snapshot, else RuntimeError.
        """
        # Not before: who uses a server that runs elsewhere needs none of this.
        from cobalt_sandbox.serving import Serving, listening_socket, url_of

        identity = _identity() if self.config.tls else None
        listener = listening_socket(self.config.host, self.config.port)
        encrypted = None if identity is None else self._encrypted(identity)
        ready = threading.Event()
        ended: list[BaseException] = []

        def serve() -> None:
            try:
                serving.start()
            except BaseException as error:
                ended.append(error)
            finally:
                ready.set()

        try:
            serving = Serving(self.config, listener, ready.set, encrypted)
        except Unstartable:
            listener.close()
            raise
        thread = threading.Thread(target=serve, name="cobalt-sandbox", daemon=True)
        thread.start()
        ready.wait()
        if ended:
            thread.join()
            listener.close()
            if encrypted is not None:
                encrypted.listener.close()
            self._clear()
            raise RuntimeError("the sandbox did not start") from ended[0]
        self.url, self._serving, self._thread = url_of(listener), serving, thread

    def _encrypted(self, identity: Identity) -> Encrypted:
        from cobalt_sandbox.serving import Encrypted, listening_socket, url_of

        listener = listening_socket(self.config.host, self.config.tls_port)
        self.tls_url = url_of(listener, "https")
        self._folder = TemporaryDirectory(prefix="cobalt-sandbox-")
        self.ca_file = Path(self._folder.name, "ca.pem")
        self.ca_file.write_bytes(identity.authority)
        return Encrypted(listener, identity.context)

    def stop(self) -> None:
        assert self._serving is not None
        assert self._thread is not None
        self._serving.stop()
        self._thread.join()
        self._clear()

    def _clear(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def default_world(self) -> World:
        """The world that is there from the beginning, with the documentation's own credentials."""
        return World(self.url, CLIENT_ID, CLIENT_SECRET, self.config.control_token)

    def world(
        self,
        *,
        seed: int | None = None,
        fixtures: Sequence[str | Mapping[str, Any]] | None = None,
        latency: str | None = None,
        rate: float = 0,
        now: str | None = None,
        hold: bool = False,
        options: Mapping[str, Any] | None = None,
        snapshot: Mapping[str, Any] | None = None,
    ) -> World:
        """A fresh world that no other sees, its clock standing still unless ``rate`` says otherwise.

        With a ``snapshot`` it goes on from there, and all else is as it was in that.
        """
        clock = {"rate": rate} | ({"now": now} if now is not None else {})
        wanted = {
            "seed": seed,
            "fixtures": fixtures,
            "latency": latency,
            "hold": hold,
            "options": options,
            "clock": clock,
        }
        made = Control(self.url, token=self.config.control_token).call("POST", "/world", wanted)
        if snapshot is None:
            return World.of(self.url, made, self.config.control_token)
        world = World(self.url, made["client_id"], made["client_secret"], self.config.control_token)
        world.restore(snapshot)
        return world


def _identity() -> Identity:
    from cobalt_sandbox.tls import new_identity  # few tests need it

    return new_identity()
