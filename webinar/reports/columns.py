"""The columns of an attendance list; keys are for programs and stay, titles are for people."""

from webinar.core.language import marked
from webinar.reports.table_rules import Column, Kind

PERSON_COLUMNS = (
    Column("person_id", marked("Person"), for_programs=True),
    Column("nip", marked("NIP"), width=20),
    Column("name", marked("Name"), width=28),
    Column("email", marked("E-mail"), width=28),
    Column("unit", marked("Unit"), width=28),
    Column("role", marked("Role")),
    Column("first_join", marked("First join"), Kind.INSTANT, 20),
    Column("last_leave", marked("Last leave"), Kind.INSTANT, 20),
    Column("seconds", marked("Seconds in the official time"), Kind.WHOLE),
    Column("share", marked("Share of the official time"), Kind.SHARE),
    Column("replay_seconds", marked("Seconds by the replay"), Kind.WHOLE),
    Column("reconnects", marked("Reconnects"), Kind.WHOLE),
    Column("devices", marked("Devices"), Kind.WHOLE),
    Column("checks_answered", marked("Presence checks answered"), Kind.WHOLE),
    Column("checks_asked", marked("Presence checks asked"), Kind.WHOLE),
    Column("jp", marked("JP"), Kind.JP, 8),
    Column("computed_jp", marked("JP as computed"), Kind.JP, 10),
    Column("state", marked("State"), width=16),
    Column("uncertainty_seconds", marked("Unsure by seconds"), Kind.WHOLE),
    Column("final", marked("Final"), width=8),
    Column("adjusted_by", marked("Adjusted by"), width=24),
    Column("adjusted_at", marked("Adjusted at"), Kind.INSTANT, 20),
    Column("adjusted_why", marked("Why it was adjusted"), width=40),
    Column("why", marked("Why"), width=60),
    Column("ledger_entry", marked("Entry of the ledger"), Kind.WHOLE, for_programs=True),
    Column("ledger_digest", marked("Digest of the ledger"), for_programs=True),
)
INTERVAL_COLUMNS = (
    Column("person_id", marked("Person"), for_programs=True),
    Column("nip", marked("NIP"), width=20),
    Column("name", marked("Name"), width=28),
    Column("number", marked("No."), Kind.WHOLE, 6),
    Column("from", marked("From"), Kind.INSTANT, 20),
    Column("to", marked("Until"), Kind.INSTANT, 20),
    Column("seconds", marked("Seconds"), Kind.WHOLE),
    Column("uncertainty_seconds", marked("Unsure by seconds"), Kind.WHOLE),
    Column("sources", marked("Sources"), width=28),
)
SUMMARY_COLUMNS = (Column("what", marked("What"), width=32), Column("value", marked("Value"), width=80))
