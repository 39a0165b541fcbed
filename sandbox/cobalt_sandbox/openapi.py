"""The OpenAPI document that the declarations amount to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from itertools import combinations
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

from cobalt_sandbox.callers import Address, Credentials
from cobalt_sandbox.catalogue import Catalogue
from cobalt_sandbox.config import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET
from cobalt_sandbox.endpoint import Endpoint
from cobalt_sandbox.events import Event, Kind
from cobalt_sandbox.world import Practice, World

Json = dict[str, Any]

#: The headers of a call by the names of their schemes, each with what opens the documentation's practice.
_HEADERS = {
    "ClientCredentials": ("client_id", CLIENT_ID),
    "ClientSecret": ("client_secret", CLIENT_SECRET),
    "AccessToken": ("access_token", ACCESS_TOKEN),
}
_THREE_HEADERS: Json = {name: [] for name in _HEADERS}
_TWO_HEADERS: Json = {name: [] for name in list(_HEADERS)[:2]}

#: The sets of credentials with which an endpoint may be called.
Security = Callable[[Endpoint], list[Json]]


class Surface(NamedTuple):
    """One API: all that a catalogue declares, under a prefix."""

    prefix: str
    catalogue: Catalogue
    security: Security


def demanded(endpoint: Endpoint) -> list[Json]:
    """The headers without which the documented API refuses a call."""
    return {Practice: [_THREE_HEADERS], World: [_TWO_HEADERS]}.get(endpoint.caller, [])


def accepted(endpoint: Endpoint) -> list[Json]:
    """The headers that name a world and a practice to the control API, which otherwise takes the first of them.

    A secret is asked for only where a world may be made with it.
    """
    kinds = {endpoint.caller, *(kind for _, kind in endpoint.extras)}
    if kinds & {Credentials, Address}:
        return [_TWO_HEADERS] if Credentials in kinds else [{}, _TWO_HEADERS]
    named = ["ClientCredentials"] if kinds & {World, Practice} else []
    named += ["AccessToken"] if Practice in kinds else []
    if not named:
        return []
    return [{name: [] for name in some} for count in range(len(named) + 1) for some in combinations(named, count)]


class _Schema(GenerateJsonSchema):
    """In requests ``null`` is only another way to leave a field out; in replies what has a default is left out, not null."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Json:
        inner = schema["schema"]
        if schema.get("default") is None and inner["type"] == "nullable":
            return self.generate_inner(inner["schema"])
        return self.generate_inner(inner) if self.mode == "serialization" else super().default_schema(schema)

    def sort(self, value: Any, parent_key: str | None = None) -> Any:
        """Not at all: what is declared is in order."""
        return value

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def document(surfaces: Iterable[Surface], *, version: str) -> Json:
    """OpenAPI 3.1 of everything that is declared."""
    surfaces = list(surfaces)
    schemas, definitions = _schemas(surfaces)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "cobalt-sandbox",
            "version": version,
            "summary": "What this sandbox serves, as its code declares it.",
        },
        "servers": [{"url": "/"}],
        "security": [_THREE_HEADERS],
        "tags": list(_tags(surfaces)),
        "paths": _paths(surfaces, schemas),
        "webhooks": dict(_webhooks(surfaces, schemas)),
        "components": {
            "schemas": {**definitions, "Refusal": _REFUSAL},
            "securitySchemes": {
                name: {"type": "apiKey", "in": "header", "name": header, "x-example": sample}
                for name, (header, sample) in _HEADERS.items()
            },
        },
    }


Schemas = Mapping[type[BaseModel], Json]


def _schemas(surfaces: Iterable[Surface]) -> tuple[Schemas, Json]:
    modes: dict[type[BaseModel], JsonSchemaMode] = {}
    for _, catalogue, _ in surfaces:
        for endpoint in catalogue.endpoints.values():
            asked = (endpoint.body, endpoint.form, endpoint.query)
            modes |= {model: "validation" for model in asked if model is not None}
            modes |= {reply: "serialization" for reply in endpoint.replies if issubclass(reply, BaseModel)}
        modes |= dict.fromkeys(catalogue.events.values(), "serialization")
    found, definitions = models_json_schema(
        list(modes.items()), ref_template="#/components/schemas/{model}", schema_generator=_Schema
    )
    for schema in definitions["$defs"].values():
        if "success" in schema.get("properties", {}):
            schema["required"] = list(dict.fromkeys(["success", *schema.get("required", [])]))
    return {model: found[model, mode] for model, mode in modes.items()}, definitions["$defs"]


def _tags(surfaces: Iterable[Surface]) -> Iterator[Json]:
    """Its module is the family of an operation, and says what that is about, up to the address of a page."""
    declaring = {_family(each): each.handler for _, catalogue, _ in surfaces for each in catalogue.endpoints.values()}
    for family, handler in declaring.items():
        sentence = (sys.modules[handler.__module__].__doc__ or "").partition("\n")[0]
        yield {"name": family, "description": sentence.partition(": https://")[0]}


def _family(endpoint: Endpoint) -> str:
    return endpoint.name.partition(".")[0]


def _paths(surfaces: Iterable[Surface], schemas: Schemas) -> Json:
    paths: Json = {}
    for prefix, catalogue, security in surfaces:
        for endpoint in catalogue.endpoints.values():
            operation = _operation(endpoint, schemas, security(endpoint))
            paths.setdefault(prefix + endpoint.path, {})[endpoint.method.lower()] = operation
    return paths


def _operation(endpoint: Endpoint, schemas: Schemas, security: list[Json]) -> Json:
    operation: Json = {
        "operationId": endpoint.name,
        "tags": [_family(endpoint)],
        "summary": (endpoint.handler.__doc__ or "").partition("\n")[0],
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint)],
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.query is not None and endpoint.query.__doc__:
        operation["description"] = endpoint.query.__doc__
    if endpoint.body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": schemas[endpoint.body]}}}
    if endpoint.form is not None:
        operation["requestBody"] = {"content": {"multipart/form-data": {"schema": schemas[endpoint.form]}}}
    if security != [_THREE_HEADERS]:
        operation["security"] = security
    if endpoint.ehrs:
        operation["x-ehrs"] = list(endpoint.ehrs)
    return operation


def _path_parameters(endpoint: Endpoint) -> list[Json]:
    names = [part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(endpoint: Endpoint) -> list[Json]:
    if endpoint.query is None:
        return []
    schema = endpoint.query.model_json_schema(schema_generator=_Schema)
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": each}
        for name, each in schema["properties"].items()
    ]


def _responses(endpoint: Endpoint, schemas: Schemas) -> Json:
    refusal = {"schema": {"$ref": "#/components/schemas/Refusal"}}
    responses: Json = {
        str(getattr(reply, "http_status", None) or endpoint.status): {
            "description": (reply.__doc__ or "").partition("\n")[0] or "Done",
            "content": {"application/json": {"schema": schemas[reply]}} if issubclass(reply, BaseModel) else _FILE,
        }
        for reply in endpoint.replies
    } or {str(endpoint.status): {"description": HTTPStatus(endpoint.status).phrase}}
    return {**responses, "default": {"description": "Refused", "content": {"application/json": refusal}}}


_FILE: Json = {"*/*": {"schema": {"type": "string", "format": "binary"}}}


def _webhooks(surfaces: Iterable[Surface], schemas: Schemas) -> Iterator[tuple[str, Json]]:
    for _, catalogue, _ in surfaces:
        for event in catalogue.events.values():
            emitters = [name for name, each in catalogue.endpoints.items() if event in each.emits]
            yield event.type, {"post": {**_webhook(event, schemas), "x-emitted-by": emitters}}


def _webhook(event: type[Event], schemas: Schemas) -> Json:
    bodies = [_envelope(kind, event, schemas) for kind in event.kinds]
    return {
        "operationId": event.type,
        "summary": (event.__doc__ or "").partition("\n")[0],
        "requestBody": {"content": {"application/json": {"schema": {"anyOf": bodies} if bodies[1:] else bodies[0]}}},
        "responses": {"2XX": {"description": "Delivered"}},
        "x-kinds": list(event.kinds),
    }


def _envelope(kind: Kind, event: type[Event], schemas: Schemas) -> Json:
    names = ["id", "access_token_reference_id", "object", "created", "type", "data"]
    names += {"operation": ["job_id"], "live_fetch": ["job_id", "timestamp", "action"]}.get(kind, [])
    older = ["user_id", "job_execution_id"] if "live_fetch" in event.kinds else []
    own = {
        "object": {"const": "event"},
        "type": {"const": event.type},
        "action": {"const": "sync"},
        "data": schemas[event],
    }
    properties = {name: dict(own.get(name, {"type": "string"})) for name in names + older}
    return {"type": "object", "properties": properties, "required": names}


_REFUSAL = {
    "type": "object",
    "properties": {
        "success": {"const": False},
        "message": {"type": "string"},
        "error": {"enum": ["login_required", "account_inactive"]},
    },
    "required": ["success", "message"],
}
