"""Webhooks: https://docs.usecobalt.com/api-reference/webhooks/create, …/get, …/delete, …/rotate-secret and docs/webhooks/setup"""

from __future__ import annotations

from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, ValidationInfo, model_validator

from cobalt_sandbox.delivery import Webhook
from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.validation import FIRST_FIELD, Body, complaint
from cobalt_sandbox.world import World


class WebhookNotFound(CobaltError):
    template = "Webhook not found."  # D17
    status = 404


# Create Webhook --------------------------------------------------------------------------------------------------


def _url(url: str, info: ValidationInfo) -> str:
    """An http(s) URL with a host; https only in a strict world (D245)."""
    try:
        parts = urlsplit(url)
        valid = bool(parts.hostname) and parts.port != 0 and url.isascii() and url.isprintable() and " " not in url
    except ValueError:
        valid = False
    world = cast("World", info.context)
    if not valid or parts.scheme not in (("https",) if world.spec.strict else ("https", "http")):
        raise complaint("webhook_url must be a valid HTTPS URL.")
    return url


class NewWebhook(Body, missing=FIRST_FIELD):
    """``url`` is the older name of the field (D245)."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["webhook_url"]}, {"required": ["url"]}]})
    webhook_url: Annotated[str, AfterValidator(_url)] | None = None
    url: Annotated[str, AfterValidator(_url)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_of_both(cls, sent: Any) -> Any:
        if isinstance(sent, dict) and sent.get("webhook_url") in (None, "") and sent.get("url") in (None, ""):
            raise complaint(FIRST_FIELD.format(first="webhook_url"))
        return sent

    @property
    def address(self) -> str:
        return self.webhook_url or self.url or ""


class WebhookDetails(Row):
    id: str
    webhook_id: str
    webhook_url: str
    url: str
    secret: str
    webhook_secret_key: str


class WebhookRegistered(Reply):
    """Three shapes are documented and an older one; this is all of them in one (D244)."""

    message: str
    webhook_id: str
    webhook_url: str
    webhook_secret: str
    webhook_secret_key: str
    webhook: WebhookDetails


@endpoint("POST /webhook")
def create(world: World, body: NewWebhook) -> WebhookRegistered:
    """Create Webhook"""
    webhook = world.courier.at(body.address) or _registered(world, body.address)
    return WebhookRegistered(
        message="Webhook registered successfully",
        webhook_id=webhook.id,
        webhook_url=webhook.url,
        webhook_secret=webhook.secret,
        webhook_secret_key=webhook.secret,
        webhook=WebhookDetails(
            id=webhook.id,
            webhook_id=webhook.id,
            webhook_url=webhook.url,
            url=webhook.url,
            secret=webhook.secret,
            webhook_secret_key=webhook.secret,
        ),
    )


def _registered(world: World, url: str) -> Webhook:
    webhook = Webhook(f"wh_{world.stream('webhooks').token(24)}", url, world.webhook_secret)
    world.courier.webhooks[webhook.id] = webhook
    return webhook


# List Webhooks ---------------------------------------------------------------------------------------------------


class WebhookUrl(Row):
    id: str
    url: str


class WebhookList(Reply):
    webhook_url: str | None
    webhook_urls: list[WebhookUrl]
    webhook_secret_key: str | None


@endpoint("GET /webhook")
def list_(world: World) -> WebhookList:
    """List Webhooks"""
    webhooks = list(world.courier.webhooks.values())
    return WebhookList.of(
        webhook_url=webhooks[0].url if webhooks else None,
        webhook_urls=webhooks,
        webhook_secret_key=webhooks[0].secret if webhooks else None,  # D247
    )


# Delete Webhook --------------------------------------------------------------------------------------------------


class WebhookRemoved(Reply):
    message: str


@endpoint("DELETE /webhook/{id}")
def delete(world: World, id: str) -> WebhookRemoved:
    """Delete Webhook"""
    if world.courier.webhooks.pop(id, None) is None:
        raise WebhookNotFound
    return WebhookRemoved(message="Webhook URL removed successfully")


# Rotate Secret ---------------------------------------------------------------------------------------------------


class RotatedWebhook(Row):
    id: str
    secret: str


class SecretRotated(Reply):
    webhook: RotatedWebhook


@endpoint("POST /webhook/{id}/rotate-secret")
def rotate_secret(world: World, id: str) -> SecretRotated:
    """Rotate Secret"""
    webhook = world.courier.webhooks.get(id)
    if webhook is None:
        raise WebhookNotFound
    webhook.rotate(world.new_webhook_secret(), world.clock.now())
    return SecretRotated.of(webhook=webhook)


class SecretsRotated(Reply):
    """``webhook`` is the first URL's (D248), ``null`` when there is none (D25)."""

    webhook_secret_key: str
    webhook: RotatedWebhook | None


@endpoint("POST /webhook/rotate-secret")
def rotate_all_secrets(world: World) -> SecretsRotated:
    """Rotate the secret of the account: of every URL, and of those to come (D247)."""
    world.webhook_secret = world.new_webhook_secret()
    webhooks = list(world.courier.webhooks.values())
    for webhook in webhooks:
        webhook.rotate(world.webhook_secret, world.clock.now())
    first = webhooks[0] if webhooks else None
    return SecretsRotated.of(webhook_secret_key=world.webhook_secret, webhook=first)
