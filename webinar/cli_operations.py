"""The commands `webinar owed` and `webinar mail`."""

from pathlib import Path
from typing import Annotated

import typer

from webinar.cli_parts import Data, Institution
from webinar.cli_parts import run as _run
from webinar.cli_parts import settings_in as _settings

owed = typer.Typer(help="What is due, late, failing, parked or held, and what to do about it.")
mail = typer.Typer(help="The switch that holds outgoing mail.", no_args_is_help=True)

Id = Annotated[int | None, typer.Argument(help="Number of one effect, as webinar owed list shows it.")]
Kind = Annotated[str, typer.Option(help="All of this kind, for example invite.")]
Stands = Annotated[str, typer.Option(help="Those of the kind that are parked, failing, late, due or held.")]
Reason = Annotated[str, typer.Option(prompt=True, help="Why; it stays on record.")]


@owed.callback(invoke_without_command=True)
def show(context: typer.Context, data: Data = Path("data")) -> None:
    """How much of each kind is due, running, late, failing, parked or held; the oldest; the last error."""
    if context.invoked_subcommand is None:
        from webinar import operating

        _say(*_run(operating.owed(_settings(data))))


@owed.command("list")
def list_effects(
    standing: Annotated[str, typer.Argument(help="parked, failing, late, due, running or held.")] = "parked",
    kind: Annotated[str, typer.Option(help="Only of this kind.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    data: Data = Path("data"),
) -> None:
    """Single effects, oldest due first, with their numbers."""
    from webinar import operating

    _say(*_run(operating.listed(_settings(data), standing, kind, limit)))


@owed.command()
def retry(effect: Id = None, kind: Kind = "", standing: Stands = "parked", data: Data = Path("data")) -> None:
    """Try one again now, or all of a kind."""
    from webinar import operating

    _one_or_kind(effect, kind)
    if effect is None:
        _say(_run(operating.retry_all(_settings(data), standing, kind)))
    else:
        _say(_run(operating.retry(_settings(data), effect)))


@owed.command()
def skip(
    reason: Reason, effect: Id = None, kind: Kind = "", standing: Stands = "parked", data: Data = Path("data")
) -> None:
    """Owe one no longer, or all of a kind."""
    from webinar import operating

    _one_or_kind(effect, kind)
    if effect is None:
        _say(_run(operating.skip_all(_settings(data), standing, kind, reason)))
    else:
        _say(_run(operating.skip(_settings(data), effect, reason)))


@mail.command()
def hold(reason: Reason, institution: Institution = "", data: Data = Path("data")) -> None:
    """Let no mail leave the house; what is owed stays owed. Sign-in mails still go."""
    from webinar import operating

    _say(_run(operating.hold_mail(_settings(data), institution, reason)))


@mail.command()
def release(institution: Institution = "", data: Data = Path("data")) -> None:
    """Let mail go out again, that which was held first."""
    from webinar import operating

    _say(_run(operating.release_mail(_settings(data), institution)))


@mail.command()
def state(data: Data = Path("data")) -> None:
    """Whose mail is held, since when and why."""
    from webinar import operating

    _say(*_run(operating.mail_state(_settings(data))))


def _one_or_kind(effect: int | None, kind: str) -> None:
    if (effect is None) == (not kind):
        raise typer.BadParameter("give the number of one effect, or --kind")


def _say(*lines: str) -> None:
    for line in lines:
        print(line)
