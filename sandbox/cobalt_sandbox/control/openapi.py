"""The API described, as code declares it."""

from __future__ import annotations

from cobalt_sandbox.endpoint import Report, endpoint
from cobalt_sandbox.server import Server


class Document(Report, extra="allow"):
    """OpenAPI 3.1."""

    openapi: str


@endpoint("GET /openapi.json")
def get(server: Server) -> Document:
    """This API as an OpenAPI document"""
    return Document(**server.describe())
