"""The OpenAPI 3.1 document, made from the types that check the input and shape the answers."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from webinar.people.access import API_SCOPES
from webinar.web.api import models
from webinar.web.api.endpoint import JSON, PREFIX, Endpoint
from webinar.web.context import site
from webinar.web.problems import PROBLEM
from webinar.web.site import Access, Route

VERSION = "1.0.0"
REF = "#/components/schemas/{model}"
ALWAYS = (401, 403, 429, 503)
JsonObject = dict[str, Any]

ABOUT = """Book lectures, register people, read attendance and learning hours (JP).

Every request carries a key: `Authorization: Bearer pdp_…`. Errors are RFC 9457 problem documents that
name each wrong field. Lists come in pages: follow `next`. A POST with an `Idempotency-Key` is done once.
Times are RFC 3339 with an offset, JP a decimal number."""


def route(endpoints: Sequence[Endpoint]) -> Route:
    """The address of the document itself, which everybody may read."""

    async def show(request: web.Request) -> web.StreamResponse:
        """The document, with our own address in it."""
        return web.json_response(document(endpoints, site(request).settings.public_url))

    return Route("GET", f"{PREFIX}/openapi.json", show, Access.PUBLIC)


def document(endpoints: Sequence[Endpoint], public_url: str) -> JsonObject:
    """The whole document."""
    paths: dict[str, JsonObject] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pendopo", "version": VERSION, "description": ABOUT},
        "servers": [{"url": public_url + PREFIX}],
        "paths": paths,
        "components": {
            "schemas": _schemas(endpoints),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": _scopes()}},
        },
    }


def _scopes() -> str:
    return "An API key. Its scopes are among: " + ", ".join(API_SCOPES) + "."


def _schemas(endpoints: Sequence[Endpoint]) -> JsonObject:
    taken = {e.takes for e in endpoints if e.takes}
    given: set[type[BaseModel]] = {e.gives for e in endpoints if e.gives} | {models.Problem}
    _, made = models_json_schema(
        [
            *((model, "validation") for model in sorted(taken, key=lambda m: m.__name__)),
            *((model, "serialization") for model in sorted(given, key=lambda m: m.__name__)),
        ],
        ref_template=REF,
    )
    schemas: JsonObject = made["$defs"]
    # A field that is left out stays as it is: its default in the type is a placeholder, no value.
    lecture, room = models.LectureChange.model_fields, models.RoomChange.model_fields
    for change, fields in (
        (models.LectureChange, lecture),
        (models.EditionChange, lecture),
        (models.RoomChange, room),
    ):
        for name in fields:
            schemas[change.__name__]["properties"][name].pop("default", None)
    return schemas


def _ref(model: type[BaseModel]) -> JsonObject:
    return {"$ref": REF.format(model=model.__name__)}


def _operation(endpoint: Endpoint) -> JsonObject:
    operation: JsonObject = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": f"{endpoint.handler.__doc__} Scope: `{endpoint.scope}`.",
        "tags": [endpoint.path.split("/")[1]],
        "security": [{"key": [endpoint.scope]}],
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint), *_headers(endpoint)],
        "responses": _responses(endpoint),
    }
    if endpoint.takes:
        content: JsonObject = {JSON: {"schema": _ref(endpoint.takes)}}
        for media_type in endpoint.also_takes:
            content[media_type] = {"schema": _ref(endpoint.takes)} if "json" in media_type else {}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(endpoint: Endpoint) -> list[JsonObject]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]


def _query_parameters(endpoint: Endpoint) -> list[JsonObject]:
    if endpoint.query is None:
        return []
    schema = endpoint.query.model_json_schema()
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": said}
        for name, said in schema["properties"].items()
    ]


def _headers(endpoint: Endpoint) -> list[JsonObject]:
    headers = []
    if endpoint.repeatable:
        headers.append(("Idempotency-Key", False, "Repeats within 24 hours get the first answer again."))
    if endpoint.versioned:
        headers.append(("If-Match", True, "The ETag of the version that was looked at."))
    return [
        {
            "name": name,
            "in": "header",
            "required": required,
            "description": text,
            "schema": {"type": "string"},
        }
        for name, required, text in headers
    ]


def _responses(endpoint: Endpoint) -> JsonObject:
    content: JsonObject = {endpoint.gives_type: {"schema": _ref(endpoint.gives)} if endpoint.gives else {}}
    responses = {
        str(status): {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses(endpoint)
        if status < 400
    }
    problem = {PROBLEM: {"schema": _ref(models.Problem)}}
    for status in sorted(set(statuses(endpoint))):
        if status >= 400:
            responses[str(status)] = {"description": _phrase(status), "content": problem}
    return responses


def statuses(endpoint: Endpoint) -> list[int]:
    """Every status that this address answers with."""
    found = [endpoint.status, *ALWAYS, *endpoint.errors]
    if endpoint.status == 202:
        found.append(200)  # nothing was to be written
    if endpoint.takes:
        found += [400, 411, 413, 415, 422]
    if endpoint.query or endpoint.repeatable:
        found.append(422)
    if endpoint.versioned:
        found += [412, 428]
    return sorted(set(found))


def _phrase(status: int) -> str:
    return {422: "Something in it is wrong; errors names each field"}.get(status, HTTPStatus(status).phrase)
