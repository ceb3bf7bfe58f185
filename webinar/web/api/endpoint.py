"""One address of the API: the route that serves it and what the OpenAPI document says of it."""

from dataclasses import dataclass

from pydantic import BaseModel

from webinar.web.site import Access, Handler, Route

PREFIX = "/api/v1"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`path` begins behind /api/v1; `takes`, `query` and `gives` are the types that check input and output.

    `scope` is what a key must carry. `errors` are the statuses beyond those that every address has.
    """

    method: str
    path: str
    handler: Handler
    scope: str
    summary: str
    takes: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    gives: type[BaseModel] | None = None
    status: int = 200
    errors: tuple[int, ...] = ()
    # PATCH of a record that carries a version: If-Match is asked for.
    versioned: bool = False
    # A POST whose repeat is harmless with an Idempotency-Key.
    repeatable: bool = False
    # Media types of the body beside JSON, and of an answer that is no JSON.
    also_takes: tuple[str, ...] = ()
    gives_type: str = JSON
    body: int = 256 * 1024

    @property
    def route(self) -> Route:
        """Its row of the site's route table."""
        return Route(self.method, PREFIX + self.path, self.handler, Access.API, self.scope, self.body)

    @property
    def name(self) -> str:
        """A stable name for generated clients: `post_lectures_id_cancel`."""
        parts = [part.strip("{}").replace(".", "_") for part in self.path.split("/") if part]
        return "_".join([self.method.lower(), *parts])
