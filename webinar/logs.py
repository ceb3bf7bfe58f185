"""Structured logs on standard error: a line is an event with fields, ids and never names or tokens."""

import logging
import sys

import structlog
from structlog.typing import Processor

from webinar.config import Settings


def configure(settings: Settings, *, process: str) -> None:
    """Once, at the start of a process."""
    structlog.contextvars.bind_contextvars(process=process)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_rendering(settings),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries speak through the standard one; at INFO some would write addresses of people.
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s [%(levelname)s] %(name)s: %(message)s")
    # It says of each tick that is a few ms late that it was late.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def _rendering(settings: Settings) -> tuple[Processor, ...]:
    if settings.log_format == "json":
        return (structlog.processors.format_exc_info, structlog.processors.JSONRenderer())
    # The richer traceback of the library prints local variables, and so what people typed.
    plain = structlog.dev.plain_traceback
    return (structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain),)
