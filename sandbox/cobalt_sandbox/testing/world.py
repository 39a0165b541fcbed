"""``World``: one isolated universe of a running server, whether that runs in this process or elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self
from urllib.parse import quote, urlencode

from cobalt_sandbox.client import Control, Refusal

Json = dict[str, Any]


class World:
    """One world of a running server, whether that runs in this process or elsewhere."""

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        control_token: str | None = None,
        access_token: str | None = None,
    ) -> None:
        self.url = url
        self.client_id = client_id
        self.client_secret = client_secret
        self._control_token = control_token
        self._control = Control(url, client_id, control_token, access_token=access_token)
        self._access_token = access_token

    @classmethod
    def of(cls, url: str, state: Json, control_token: str | None) -> Self:
        """The one that the control API has just told the state of."""
        world = cls(url, state["client_id"], state["client_secret"], control_token)
        world._access_token = state["practices"][0]["access_token"]
        return world

    def practice(self, access_token: str) -> World:
        """The same world, as another of its practices has it: ``headers``, ``staff``, ``fire`` and logins are about that one."""
        return World(self.url, self.client_id, self.client_secret, self._control_token, access_token)

    @property
    def access_token(self) -> str:
        """That of the practice, the first one unless another was asked for."""
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
        return self._all("events", type=type, job_id=job_id)

    def jobs(self, *, status: str | None = None, limit: int | None = None) -> list[Json]:
        """The jobs so far, or the last ones, in the order submitted; only those that are ``queued``, ``held``, ``succeeded``
        or ``failed``."""
        return self._all("jobs", limit, status=status)

    def trace(self, job_id: int | str) -> Json:
        """A job from the request that made it to the last poll that saw its event."""
        return self._json("GET", f"/jobs/{quote(str(job_id), safe='')}")

    def finish(
        self,
        job_id: int | str,
        outcome: Literal["succeed", "fail"] = "succeed",
        *,
        reasons: Sequence[Mapping[str, str]] = (),
    ) -> Json:
        """End a job now that is queued or held; each reason has a ``code`` and a ``description``. Returns its trace."""
        ending = {"outcome": outcome, "reasons": reasons}
        return self._json("POST", f"/jobs/{quote(str(job_id), safe='')}/finish", ending)

    def wait(self, job_id: int | str, *, until: Literal["event", "delivered"] = "event", timeout: float = 30) -> Json:
        """The trace of a job, once it has its event, or that is delivered. Raises TimeoutError after real seconds."""
        query = urlencode({"job_id": job_id, "until": until, "timeout": timeout})
        try:
            return self._json("GET", f"/wait?{query}")
        except Refusal as refusal:
            if refusal.status != 408:
                raise
            raise TimeoutError(str(refusal)) from None

    def requests(self, *, limit: int = 100) -> list[Json]:
        """The last calls to the documented API, oldest first: operation, status, refusal, job, fault."""
        requests: list[Json] = self._json("GET", f"/requests?limit={limit}")["requests"]
        return requests[::-1]

    def deliveries(self, *, status: str | None = None, limit: int | None = None) -> list[Json]:
        """Each event on its way to each webhook, or the last ones, in order; only those that are ``pending``, ``success``
        or ``failed``."""
        return self._all("deliveries", limit, status=status)

    def fault(self, on: str, do: Mapping[str, Any], **order: Any) -> Json:
        """Order a fault: ``on`` an occasion ``do`` something; ``times``, ``after``, ``practice``."""
        return self._json("POST", "/faults", {"on": on, "do": do, **order})

    def faults(self) -> list[Json]:
        faults: list[Json] = self._json("GET", "/faults")["faults"]
        return faults

    @property
    def staff(self) -> Staff:
        """The people of the clinic, at work in their EHR."""
        return Staff(self._control)

    def fire(self, type: str, /, **data: Any) -> Json:
        """Have a sync or account event told of a real record; ``data`` are overrides. Returns the event."""
        return self._json("POST", "/events", {"type": type, "data": data})

    def redeliver(self, event_id: str) -> Json:
        """Send an event once more to every webhook. Returns the attempts."""
        return self._json("POST", f"/events/{quote(event_id, safe='')}/redeliver")

    def expire_login(self, error_type: str | None = None) -> Json:
        """The EHR takes the credentials no more: calls are refused until the account is linked again. Returns the event."""
        return self._json("POST", "/practice/expire-login", {"error_type": error_type})

    def password_warning(self) -> Json:
        """The EHR asks for another password soon. Returns the event."""
        return self._json("POST", "/practice/password-warning")

    def public_token(
        self, user_id: str | None = None, org_id: str | None = None, *, link_token: str | None = None, **order: Any
    ) -> str:
        """Go through Link without a browser, as a user of an organization or with a link token; ``fixture`` is what is linked."""
        wanted = {"user_id": user_id, "org_id": org_id, "link_token": link_token, **order}
        return str(self._json("POST", "/public-tokens", wanted)["public_token"])

    def reset(self, *, keep: Sequence[str] = ()) -> Json:
        """The world is as when it was created."""
        return self._json("POST", "/world/reset", {"keep": keep})

    def change(self, **changes: Any) -> Json:
        """Change how it behaves: ``latency``, ``hold``, ``options``, and of the practice ``ehr``, ``practice_options``."""
        return self._json("PATCH", "/world", changes)

    def snapshot(self) -> Json:
        """The whole world as one document, without the credentials of its callers."""
        return self._json("GET", "/snapshot")

    def restore(self, document: Mapping[str, Any]) -> Json:
        """Be as a snapshot has it, and go on from there; callers keep their credentials."""
        return self._json("PUT", "/snapshot", document)

    def delete(self) -> None:
        self._control.call("DELETE", "/world")

    def _all(self, what: str, limit: int | None = None, **wanted: object) -> list[Json]:
        """All of a list that begins with the newest, or the newest ones, oldest first."""
        query = {name: value for name, value in wanted.items() if value is not None}
        found: list[Json] = []
        page, pages = 1, 1
        while page <= pages and (limit is None or len(found) < limit):
            reply = self._json("GET", f"/{what}?{urlencode({**query, 'page_size': 100, 'page': page})}")
            found += reply[what]
            page, pages = page + 1, reply["pagination"]["total_pages"]
        return found[:limit][::-1]

    def _json(self, method: str, path: str, body: object = None) -> Json:
        reply: Json = self._control.call(method, path, body)
        return reply


class Staff:
    """What the people of a clinic do in their EHR. Each call returns the record as the documented API lists it."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def book(self, **details: Any) -> Json:
        """Book an appointment, by the names of Create Appointment."""
        return self._done("POST", "/staff/appointments", details)

    def change(self, appointment_id: str, /, **details: Any) -> Json:
        """Move an appointment (``datetime``), cancel it (``status="cancelled"``), or change something else of it."""
        return self._done("PATCH", f"/staff/appointments/{quote(appointment_id, safe='')}", details)

    def edit_patient(self, mrn: str, /, **details: Any) -> Json:
        return self._done("PATCH", f"/staff/patients/{quote(mrn, safe='')}", details)

    def _done(self, method: str, path: str, details: Json) -> Json:
        record: Json = self._control.call(method, path, details)
        return record
