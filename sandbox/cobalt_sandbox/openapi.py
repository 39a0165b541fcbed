"""The OpenAPI document that the declarations amount to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

from cobalt_sandbox.catalogue import Catalogue
from cobalt_sandbox.endpoint import Endpoint
from cobalt_sandbox.events import Event
from cobalt_sandbox.world import Practice, World

Json = dict[str, Any]

_HEADERS = {"ClientCredentials": "client_id", "ClientSecret": "client_secret", "AccessToken": "access_token"}
_THREE_HEADERS: Json = {name: [] for name in _HEADERS}
_TWO_HEADERS: Json = {name: [] for name in list(_HEADERS)[:2]}


class _Schema(GenerateJsonSchema):
    """In requests ``null`` is only another way to leave a field out; in replies what has a default is left out, not null."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Json:
        inner = schema["schema"]
        if schema.get("default") is None and inner["type"] == "nullable":
            return self.generate_inner(inner["schema"])
        return self.generate_inner(inner) if self.mode == "serialization" else super().default_schema(schema)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def document(surfaces: Iterable[tuple[str, Catalogue]], *, version: str) -> Json:
    """OpenAPI 3.1 of everything that is declared, each catalogue under its prefix."""
    surfaces = list(surfaces)
    schemas, definitions = _schemas(surfaces)
    paths: Json = {}
    for prefix, catalogue in surfaces:
        for endpoint in catalogue.endpoints.values():
            paths.setdefault(prefix + endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "cobalt-sandbox",
            "version": version,
            "summary": "What this sandbox serves, as its code declares it.",
        },
        "servers": [{"url": "/"}],
        "security": [_THREE_HEADERS],
        "paths": paths,
        "webhooks": {
            event.type: {"post": _webhook(event, schemas)}
            for _, catalogue in surfaces
            for event in catalogue.events.values()
        },
        "components": {
            "schemas": {**definitions, "Refusal": _REFUSAL},
            "securitySchemes": {
                name: {"type": "apiKey", "in": "header", "name": header} for name, header in _HEADERS.items()
            },
        },
    }


Schemas = Mapping[type[BaseModel], Json]


def _schemas(surfaces: Iterable[tuple[str, Catalogue]]) -> tuple[Schemas, Json]:
    modes: dict[type[BaseModel], JsonSchemaMode] = {}
    for _, catalogue in surfaces:
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


def _operation(endpoint: Endpoint, schemas: Schemas) -> Json:
    operation: Json = {
        "operationId": endpoint.name,
        "tags": [endpoint.name.partition(".")[0]],
        "summary": (endpoint.handler.__doc__ or "").partition("\n")[0],
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint)],
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": schemas[endpoint.body]}}}
    if endpoint.form is not None:
        operation["requestBody"] = {"content": {"multipart/form-data": {"schema": schemas[endpoint.form]}}}
    if endpoint.caller is not Practice:
        operation["security"] = [_TWO_HEADERS] if endpoint.caller is World else []
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


def _webhook(event: type[Event], schemas: Schemas) -> Json:
    text: Json = {"type": "string"}
    envelope = {"id": text, "access_token_reference_id": text, "object": {"const": "event"}, "created": text}
    own: Json = {"type": {"const": event.type}, "data": schemas[event]}
    by_kind: dict[str, Json] = {
        "operation": {**envelope, **own, "job_id": text},
        "sync": {**envelope, **own},
        "account": {**envelope, **own},
        "live_fetch": {**envelope, **own, "job_id": text, "timestamp": text, "action": {"const": "sync"}},
    }
    older = {"user_id": text, "job_execution_id": text} if "live_fetch" in event.kinds else {}
    bodies = [
        {"type": "object", "properties": {**by_kind[kind], **older}, "required": list(by_kind[kind])}
        for kind in event.kinds
    ]
    return {
        "operationId": event.type,
        "summary": (event.__doc__ or "").partition("\n")[0],
        "requestBody": {"content": {"application/json": {"schema": {"anyOf": bodies} if bodies[1:] else bodies[0]}}},
        "responses": {"2XX": {"description": "Delivered"}},
    }


_REFUSAL = {
    "type": "object",
    "properties": {
        "success": {"const": False},
        "message": {"type": "string"},
        "error": {"enum": ["login_required", "account_inactive"]},
    },
    "required": ["success", "message"],
}
