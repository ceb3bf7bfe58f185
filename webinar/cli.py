"""The command `webinar`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from webinar.cli_operations import mail, owed
from webinar.cli_parts import Data, Institution
from webinar.cli_parts import run as _run
from webinar.cli_parts import settings_in as _settings
from webinar.core.errors import Invalid, Refused

app = typer.Typer(
    help="Pendopo: virtual classrooms whose attendance becomes learning hours.",
    no_args_is_help=True,
    add_completion=False,
    # The pretty ones print local variables, and so what people typed.
    pretty_exceptions_enable=False,
)
people = typer.Typer(help="People of an institution.", no_args_is_help=True)
api_key = typer.Typer(help="Keys for programs that use the API.", no_args_is_help=True)
administrator = typer.Typer(help="Administrators of an institution.", no_args_is_help=True)
hours = typer.Typer(help="The ledger of learning hours.", no_args_is_help=True)
app.add_typer(people, name="people")
app.add_typer(api_key, name="api-key")
app.add_typer(administrator, name="administrator")
app.add_typer(hours, name="hours")
app.add_typer(owed, name="owed")
app.add_typer(mail, name="mail")


def main() -> None:
    """The entry point: what the service refuses is one line, not a traceback."""
    try:
        app()
    except Refused as refused:
        _fail(_told(refused))


def _told(refused: Refused) -> str:
    if not isinstance(refused, Invalid):
        return str(refused)
    return "; ".join(f"{error.field}: {error.message % dict(error.fields)}" for error in refused.errors)


def _fail(why: str) -> None:
    print(f"webinar: {why}", file=sys.stderr)
    raise SystemExit(1)


@app.command()
def up(
    port: Annotated[int, typer.Option(envvar="PENDOPO_PORT", min=1, max=65535, help="Of the site.")] = 8080,
    data: Data = Path("data"),
    public_url: Annotated[
        str, typer.Option(help="How people reach the site, https://…; TLS is in front.")
    ] = "",
    demo: Annotated[
        bool | None,
        typer.Option("--demo/--no-demo", help="A demonstration in a new database (not with a public URL)."),
    ] = None,
) -> None:
    """Run everything on this machine until Ctrl-C."""
    from webinar.instance import CannotStart
    from webinar.up import Wish
    from webinar.up import up as run_up

    try:
        run_up(Wish(port, data, public_url, demo))
    except CannotStart as reason:
        _fail(str(reason))


@app.command()
def demo(data: Data = Path("data")) -> None:
    """Put the demonstration in, or renew what is stale in it."""
    from webinar import demo as demonstration

    for line in _run(demonstration.put_in(_settings(data))):
        print(line)


@app.command()
def web(data: Data = Path("data")) -> None:
    """Run the site."""
    _process("web", data)


@app.command()
def hooks(data: Data = Path("data")) -> None:
    """Run the receiver of the media server's webhooks."""
    _process("hooks", data)


@app.command()
def scheduler(data: Data = Path("data")) -> None:
    """Run what happens by itself: rooms, mails, hours."""
    _process("scheduler", data)


@app.command()
def recorder(data: Data = Path("data")) -> None:
    """Run the recorder of lectures."""
    _process("recorder", data)


def _process(kind: str, data: Path) -> None:
    from webinar import processes

    try:
        processes.run(kind, _settings(data))
    except processes.WrongSettings as wrong:
        _fail(str(wrong))


@app.command()
def migrate(data: Data = Path("data")) -> None:
    """Bring the database to the newest revision."""
    from webinar.migrations import upgrade

    _run(upgrade(_settings(data).database_url))
    print("The database is up to date.")


@app.command()
def doctor(data: Data = Path("data")) -> None:
    """Look at every part, and say what to do about what is wrong."""
    from webinar import doctor as examination

    findings = _run(examination.examine(_settings(data)))
    for finding in findings:
        print(finding.told())
    if not all(finding.well for finding in findings):
        raise SystemExit(1)


@people.command("import")
def import_people(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or XLSX.")],
    institution: Institution = "",
    check_only: Annotated[
        bool, typer.Option("--check", help="Only say what is wrong; save nothing.")
    ] = False,
    data: Data = Path("data"),
) -> None:
    """Import people from a table; says in which row and column something is wrong."""
    from webinar import commands

    done = _run(commands.import_people(_settings(data), institution, file, check_only=check_only))
    for line in done.lines:
        print(line)
    if not done.well:
        raise SystemExit(1)


Person = Annotated[str, typer.Argument(help="Id, e-mail address or NIP of the person.")]


@people.command("export")
def export_person(
    person: Person,
    file: Annotated[
        Path | None, typer.Option("--file", help="Where to write it; else it is printed.")
    ] = None,
    institution: Institution = "",
    data: Data = Path("data"),
) -> None:
    """Everything that is kept of one person, as JSON."""
    from webinar import commands

    text = _run(commands.export_person(_settings(data), institution, person))
    if file is None:
        print(text)
    else:
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
        print(f"Written to {file}. It holds personal data: hand it over safely, then delete it.")


@people.command("erase")
def erase_person(
    person: Person,
    reason: Annotated[str, typer.Option(prompt=True, help="Why; it stays on record.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    institution: Institution = "",
    data: Data = Path("data"),
) -> None:
    """Make a person a pseudonym; hours, evidence and ids stay. There is no way back."""
    from webinar import commands

    if not yes:
        typer.confirm(f"Erase the personal data of {person} for good?", abort=True)
    print(_run(commands.erase_person(_settings(data), institution, person, reason)))


@api_key.command("create")
def create_api_key(
    name: Annotated[str, typer.Option(help="What it is for.")],
    scope: Annotated[list[str], typer.Option(help="May be given several times, for example people:read.")],
    institution: Institution = "",
    days: Annotated[int, typer.Option(min=0, help="Valid for so many days; 0 for ever.")] = 365,
    data: Data = Path("data"),
) -> None:
    """Make a key; it is shown once."""
    from webinar import commands

    secret = _run(commands.create_api_key(_settings(data), institution, name=name, scopes=scope, days=days))
    print(secret)


@administrator.command("create")
def create_administrator(
    email: Annotated[str, typer.Option(prompt=True)],
    name: Annotated[str, typer.Option(prompt=True)],
    institution: Annotated[
        str, typer.Option(help="Its name; it is founded when there is none of this name or code.")
    ] = "",
    zone: Annotated[str, typer.Option(help="IANA zone of a new institution.")] = "Asia/Jakarta",
    password_stdin: Annotated[
        bool, typer.Option(help="Read the password from standard input; else one is made and shown.")
    ] = False,
    data: Data = Path("data"),
) -> None:
    """Make an administrator, and the institution if it is new."""
    from webinar import commands

    password = sys.stdin.readline().rstrip("\n") if password_stdin else ""
    lines = _run(
        commands.create_administrator(
            _settings(data), institution, name=name, email=email, zone=zone, password=password
        )
    )
    for line in lines:
        print(line)


@hours.command("verify")
def verify_hours(institution: Institution = "", data: Data = Path("data")) -> None:
    """Recompute the chain of every institution's ledger, its totals, and every credit from the evidence."""
    from webinar import commands

    if not _run(commands.verify_hours(_settings(data), institution, print)):
        raise SystemExit(1)
