"""``Sandbox``, a real server in a thread, and ``World``, one isolated universe in it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlencode

from cobalt_sandbox.client import Control
from cobalt_sandbox.config import CLIENT_ID, CLIENT_SECRET, Config
from cobalt_sandbox.serving import Serving, listening_socket, url_of

Json = dict[str, Any]


class Sandbox:
    """A server on a free port of this machine, in a thread of this process. Use it with ``with``.

    ``seed`` decides every id; the other settings are those of ``cobalt-sandbox serve``.
    """

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
        host: str = "127.0.0.1",
        port: int = 0,
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
        )
        self.url = ""
        self._serving: Serving | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when the server answers. Raises OSError when its address is taken, RuntimeError when it cannot start."""
        listener = listening_socket(self.config.host, self.config.port)
        ready = threading.Event()
        ended: list[BaseException] = []

        def serve() -> None:
            try:
                serving.start()
            except BaseException as error:
                ended.append(error)
            finally:
                ready.set()

        serving = Serving(self.config, listener, ready.set)
        thread = threading.Thread(target=serve, name="cobalt-sandbox", daemon=True)
        thread.start()
        ready.wait()
        if ended:
            thread.join()
            listener.close()
            raise RuntimeError("the sandbox did not start") from ended[0]
        self.url, self._serving, self._thread = url_of(listener), serving, thread

    def stop(self) -> None:
        assert self._serving is not None
        assert self._thread is not None
        self._serving.stop()
        self._thread.join()

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
    ) -> World:
        """A fresh world that no other sees, its clock standing still unless ``rate`` says otherwise."""
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
        return World(self.url, made["client_id"], made["client_secret"], self.config.control_token)


class World:
    """One world of a running server, whether that runs in this process or elsewhere."""

    def __init__(self, url: str, client_id: str, client_secret: str, control_token: str | None = None) -> None:
        self.url = url
        self.client_id = client_id
        self.client_secret = client_secret
        self._control = Control(url, client_id, control_token)
        self._access_token: str | None = None

    @property
    def access_token(self) -> str:
        """That of the first practice."""
        if self._access_token is None:
            self._access_token = str(self.state()["practices"][0]["access_token"])
        return self._access_token

    @property
    def headers(self) -> dict[str, str]:
        """The three headers of the documented API, for any HTTP client."""
        return {"client_id": self.client_id, "client_secret": self.client_secret, "access_token": self.access_token}

    def state(self) -> Json:
        """The world and what is in it, counted."""
        return self._json("GET", "/world")

    def settle(self, *, limit_s: float = 86_400) -> Json:
        """Everything due has happened and is delivered. Returns what ran."""
        return self._json("POST", "/clock/settle", {"limit_s": limit_s})

    def advance(self, seconds: float) -> Json:
        """So much time has passed, and what was due in it is delivered. Returns what ran."""
        return self._json("POST", "/clock/advance", {"seconds": seconds})

    def clock(self) -> Json:
        return self._json("GET", "/clock")

    def events(self, *, type: str | None = None, job_id: int | str | None = None) -> list[Json]:
        """The events so far, oldest first, as webhooks deliver them."""
        wanted = {"type": type, "job_id": job_id, "page_size": 100}
        query = {name: value for name, value in wanted.items() if value is not None}
        found: list[Json] = []
        page, pages = 1, 1
        while page <= pages:
            reply = self._json("GET", f"/events?{urlencode({**query, 'page': page})}")
            found += reply["events"]
            page, pages = page + 1, reply["pagination"]["total_pages"]
        return found[::-1]

    def fault(self, on: str, do: Mapping[str, Any], **order: Any) -> Json:
        """Order a fault: ``on`` an occasion ``do`` something; ``times``, ``after``, ``practice``."""
        return self._json("POST", "/faults", {"on": on, "do": do, **order})

    def faults(self) -> list[Json]:
        faults: list[Json] = self._json("GET", "/faults")["faults"]
        return faults

    def reset(self, *, keep: Sequence[str] = ()) -> Json:
        """The world is as when it was created."""
        return self._json("POST", "/world/reset", {"keep": keep})

    def delete(self) -> None:
        self._control.call("DELETE", "/world")

    def _json(self, method: str, path: str, body: object = None) -> Json:
        reply: Json = self._control.call(method, path, body)
        return reply
