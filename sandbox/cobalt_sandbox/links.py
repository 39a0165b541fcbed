"""What leads through Link: organizations, the tokens of a session, and the practices that new access tokens open."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from cobalt_sandbox.clock import SECOND, Moment, iso
from cobalt_sandbox.errors import CobaltError, UserNotFound, UserNotFound401
from cobalt_sandbox.fixture import ECLINICALWORKS, Fixture

if TYPE_CHECKING:
    from cobalt_sandbox.world import Practice, World

#: Link tokens are documented to live so long; public tokens do, too (D48).
LIFE: Moment = 30 * 60 * SECOND

#: The EHRs that the documentation names.
EHRS = (ECLINICALWORKS, "Practice Fusion")
_ALIASES = {"ecw": ECLINICALWORKS, **{name.lower(): name for name in EHRS}}

T = TypeVar("T")
State = Literal["open", "used", "expired", "unknown"]


class NoRoom(CobaltError):
    template = "This world has no room for more {what}: {bound} are the most it holds. {cure}"
    status = 503


def known_as(emr_name: str) -> str:
    """An EHR by the name that the documentation has for it, any other by its own (D44)."""
    return _ALIASES.get(emr_name.lower(), emr_name)


# Tokens ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Token(Generic[T]):
    """A token that was given out: what it is good for, once, before ``until``."""

    text: str
    good_for: T
    until: Moment
    is_used: bool = False

    def state(self, now: Moment) -> State:
        if self.is_used:
            return "used"
        return "open" if now < self.until else "expired"

    def told(self) -> dict[str, Any]:
        return {"token": self.text, "until": iso(self.until), "is_used": self.is_used}


class Tokens(Generic[T]):
    """Those of one kind. At most ``bound`` are remembered; one that is used or expired makes room for a new one."""

    def __init__(self, kind: str, bound: int) -> None:
        self._kind, self._bound = kind, bound
        self._by_text: dict[str, Token[T]] = {}

    def __iter__(self) -> Iterator[Token[T]]:
        return iter(self._by_text.values())

    def get(self, text: str) -> Token[T] | None:
        return self._by_text.get(text)

    def demand_room(self, now: Moment) -> None:
        if len(self._by_text) >= self._bound:
            closed = next((token for token in self if token.state(now) != "open"), None)
            if closed is None:
                cure = "Advance its clock by 30 minutes, or reset it."
                raise NoRoom(what=self._kind, bound=self._bound, cure=cure)
            del self._by_text[closed.text]

    def put(self, token: Token[T]) -> None:
        """As it was before."""
        self._by_text[token.text] = token

    def issue(self, text: str, good_for: T, now: Moment) -> str:
        self._by_text[text] = Token(text, good_for, now + LIFE)
        return text


# What they are good for ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Organization:
    """A clinic of the client's, with its EHR and where that is, if they were given."""

    id: str
    ehr: str | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """A user of an organization, who links an account: a new one, or that of ``practice`` once more (update mode)."""

    user_id: str
    org_id: str
    practice: Practice | None = None

    def told(self) -> dict[str, Any]:
        practice = None if self.practice is None else self.practice.name
        return {"user_id": self.user_id, "org_id": self.org_id, "practice": practice}


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """What a user has let Cobalt into; ``fixture`` is what the practice will be made from."""

    user_id: str
    ehr: str
    domain: str
    fixture: Fixture

    def told(self) -> dict[str, Any]:
        return {"user_id": self.user_id, "ehr": self.ehr, "domain": self.domain, "fixture": self.fixture.written_as}


class Links:
    """The organizations of a world, and who is about to link an account."""

    def __init__(self, world: World) -> None:
        bounds = world.spec.bounds
        self.organizations: dict[str, Organization] = {}
        self.link_tokens: Tokens[Session] = Tokens("link tokens", bounds.tokens)
        self.public_tokens: Tokens[Account | Practice] = Tokens("public tokens", bounds.tokens)
        self._world = world

    @property
    def _now(self) -> Moment:
        return self._world.clock.now()

    def practice_of(self, access_token: bytes) -> Practice:
        """Raises UserNotFound, with the status that the world's options ask for (D6)."""
        for token, practice in self._world.practices.items():
            if hmac.compare_digest(token.encode(), access_token):
                return practice
        raise UserNotFound401 if self._world.options.user_not_found_status == 401 else UserNotFound

    def invite(self, session: Session, ehr: str | None = None, domain: str | None = None) -> str:
        """A link token, and the organization of its user, which has this EHR unless it has one already.

        No other world of the server has a token of the same text, since it is all that Link is told.
        """
        self.link_tokens.demand_room(self._now)
        self._organize(session.org_id, ehr, domain)
        token = self._world.stream(f"link tokens of {self._world.spec.client_id}").token(23)
        return self.link_tokens.issue(f"lt_{token}", session, self._now)

    def _organize(self, id: str, ehr: str | None = None, domain: str | None = None) -> Organization:
        known, bound = self.organizations.get(id), self._world.spec.bounds.organizations
        if known is not None and (known.ehr is not None or ehr is None):
            return known
        if known is None and len(self.organizations) >= bound:
            raise NoRoom(what="organizations", bound=bound, cure="Reset it.")
        made = self.organizations[id] = Organization(id, ehr, domain)
        return made

    def link(self, session: Session, fixture: Fixture, ehr: str | None = None) -> str:
        """The user has been let into the EHR. Returns the public token for a new account.

        An organization without an EHR leaves that to the user, and the user to the fixture (D42).
        """
        self.public_tokens.demand_room(self._now)
        organization, profile = self._organize(session.org_id), fixture.profile
        domain = organization.domain or profile.emr_instance_domain  # D264
        return self._issue(Account(session.user_id, organization.ehr or ehr or profile.ehr, domain, fixture))

    def link_again(self, practice: Practice) -> str:
        """The user has been let in again, so the access token works at once (D38). Returns the public token for it."""
        self.public_tokens.demand_room(self._now)
        practice.relink()
        return self._issue(practice)

    def _issue(self, good_for: Account | Practice) -> str:
        text = f"pt_{self._world.stream('public tokens').token(23)}"
        return self.public_tokens.issue(text, good_for, self._now)

    def exchange(self, public_token: str) -> Practice | None:
        """The practice of a public token, made now if it is new; none if the token is good for nothing."""
        token = self.public_tokens.get(public_token)
        if token is None or token.state(self._now) != "open":
            return None
        practice = self._opened(token.good_for) if isinstance(token.good_for, Account) else token.good_for
        token.is_used = True
        return practice

    def _opened(self, account: Account) -> Practice:
        bound = self._world.spec.bounds.practices
        if len(self._world.practices) >= bound:
            raise NoRoom(what="practices", bound=bound, cure="Reset it.")
        profile = {
            "name": self._free_name(account.user_id),
            "access_token": self._world.stream("access tokens").token(23),
            "access_token_reference_id": account.user_id,  # D54
            "ehr": account.ehr,
            "emr_instance_domain": account.domain,
        }
        return self._world.admit(account.fixture.under(profile))

    def told(self) -> dict[str, Any]:
        """All of it as plain data. An account that is still to be made is told whole, one that is there by its practice."""
        return {
            "organizations": list(self.organizations.values()),
            "link_tokens": [{**token.told(), **token.good_for.told()} for token in self.link_tokens],
            "public_tokens": [
                {
                    **token.told(),
                    "account": token.good_for.told() if isinstance(token.good_for, Account) else None,
                    "practice": None if isinstance(token.good_for, Account) else token.good_for.name,
                }
                for token in self.public_tokens
            ],
        }

    def _free_name(self, user_id: str) -> str:
        """The user's, with a number behind it if need be: no two practices share their chance."""
        taken, name, number = {practice.name for practice in self._world.practices.values()}, user_id, 1
        while name in taken:
            number += 1
            name = f"{user_id}-{number}"
        return name
