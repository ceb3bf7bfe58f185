"""Presence checks, replays, adjustments, contests, exemptions, targets, retention and reports

Only adds, so that the release before can go on beside it: what it writes finds defaults for what it does
not know, and `policies.lecturer_earns` stays until the release after.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retention",
        sa.Column("institution_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=26), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["units.id"], name=op.f("fk_retention_institution_id_units")
        ),
        sa.PrimaryKeyConstraint("institution_id", "kind", name=op.f("pk_retention")),
    )
    op.create_table(
        "year_targets",
        sa.Column("institution_id", sa.String(length=26), nullable=False),
        sa.Column("employment", sa.String(length=8), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.Column("changed_by", sa.String(length=26), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["units.id"], name=op.f("fk_year_targets_institution_id_units")
        ),
        sa.PrimaryKeyConstraint("institution_id", "employment", name=op.f("pk_year_targets")),
    )
    op.create_table(
        "exemptions",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("institution_id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("starts_on", sa.String(length=10), nullable=False),
        sa.Column("ends_on", sa.String(length=10), nullable=False),
        sa.Column("created_by", sa.String(length=26), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.String(length=26), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["units.id"], name=op.f("fk_exemptions_institution_id_units")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_exemptions_person_id_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exemptions")),
    )
    with op.batch_alter_table("exemptions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exemptions_institution_id"), ["institution_id"], unique=False)
        batch_op.create_index("ix_exemptions_person", ["person_id"], unique=False)

    op.create_table(
        "hour_totals",
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("institution_id", sa.String(length=26), nullable=False),
        sa.Column("jp", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["units.id"], name=op.f("fk_hour_totals_institution_id_units")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_hour_totals_person_id_persons")),
        sa.PrimaryKeyConstraint("person_id", "year", name=op.f("pk_hour_totals")),
    )
    with op.batch_alter_table("hour_totals", schema=None) as batch_op:
        batch_op.create_index("ix_hour_totals_institution", ["institution_id", "year"], unique=False)

    op.create_table(
        "attendance_lists",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("institution_id", sa.String(length=26), nullable=False),
        sa.Column("lecture_id", sa.String(length=26), nullable=False),
        sa.Column("author_id", sa.String(length=26), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("content_type", sa.String(length=100), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("people", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["units.id"], name=op.f("fk_attendance_lists_institution_id_units")
        ),
        sa.ForeignKeyConstraint(
            ["lecture_id"], ["lectures.id"], name=op.f("fk_attendance_lists_lecture_id_lectures")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_lists")),
    )
    with op.batch_alter_table("attendance_lists", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attendance_lists_lecture_id"), ["lecture_id"], unique=False)

    op.create_table(
        "presence_checks",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("lecture_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("closes_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["lecture_id"], ["lectures.id"], name=op.f("fk_presence_checks_lecture_id_lectures")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presence_checks")),
        sa.UniqueConstraint("lecture_id", "number", name=op.f("uq_presence_checks_lecture_id_number")),
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("institution_id", sa.String(length=26), nullable=False),
        sa.Column("lecture_id", sa.String(length=26), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("wish", sa.JSON(), nullable=False),
        sa.Column("asked_by", sa.String(length=26), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["units.id"], name=op.f("fk_reports_institution_id_units")
        ),
        sa.ForeignKeyConstraint(["lecture_id"], ["lectures.id"], name=op.f("fk_reports_lecture_id_lectures")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.create_index("ix_reports_expires_at", ["expires_at"], unique=False)
        batch_op.create_index("ix_reports_lecture", ["lecture_id"], unique=False)

    op.create_table(
        "retired_evidence",
        sa.Column("lecture_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("matched", sa.Boolean(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lecture_id"], ["lectures.id"], name=op.f("fk_retired_evidence_lecture_id_lectures")
        ),
        sa.PrimaryKeyConstraint("lecture_id", "kind", name=op.f("pk_retired_evidence")),
    )
    op.create_table(
        "tallies",
        sa.Column("lecture_id", sa.String(length=26), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("high_water", sa.JSON(), nullable=False),
        sa.Column("window", sa.JSON(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("curve", sa.JSON(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("evidence_sha256", sa.String(length=64), nullable=True),
        sa.Column("computed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["lecture_id"], ["lectures.id"], name=op.f("fk_tallies_lecture_id_lectures")),
        sa.PrimaryKeyConstraint("lecture_id", name=op.f("pk_tallies")),
    )
    op.create_table(
        "consents",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("lecture_id", sa.String(length=26), nullable=False),
        sa.Column("registration_id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lecture_id"], ["lectures.id"], name=op.f("fk_consents_lecture_id_lectures")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_consents_person_id_persons")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_consents_registration_id_registrations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
        sa.UniqueConstraint(
            "registration_id", "kind", "version", name=op.f("uq_consents_registration_id_kind_version")
        ),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consents_lecture_id"), ["lecture_id"], unique=False)
        batch_op.create_index("ix_consents_person", ["person_id"], unique=False)

    op.create_table(
        "contests",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("institution_id", sa.String(length=26), nullable=False),
        sa.Column("lecture_id", sa.String(length=26), nullable=False),
        sa.Column("registration_id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("jp", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(length=26), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["units.id"], name=op.f("fk_contests_institution_id_units")
        ),
        sa.ForeignKeyConstraint(
            ["lecture_id"], ["lectures.id"], name=op.f("fk_contests_lecture_id_lectures")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_contests_person_id_persons")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_contests_registration_id_registrations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contests")),
    )
    with op.batch_alter_table("contests", schema=None) as batch_op:
        batch_op.create_index("ix_contests_lecture", ["lecture_id"], unique=False)
        batch_op.create_index("ix_contests_person", ["person_id"], unique=False)
        batch_op.create_index(
            "uq_contests_open",
            ["registration_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "evidence_answers",
        sa.Column("check_id", sa.String(length=26), nullable=False),
        sa.Column("registration_id", sa.String(length=26), nullable=False),
        sa.Column("lecture_id", sa.String(length=26), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.Column("how", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(
            ["check_id"], ["presence_checks.id"], name=op.f("fk_evidence_answers_check_id_presence_checks")
        ),
        sa.ForeignKeyConstraint(
            ["lecture_id"], ["lectures.id"], name=op.f("fk_evidence_answers_lecture_id_lectures")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
            name=op.f("fk_evidence_answers_registration_id_registrations"),
        ),
        sa.PrimaryKeyConstraint("check_id", "registration_id", name=op.f("pk_evidence_answers")),
    )
    with op.batch_alter_table("evidence_answers", schema=None) as batch_op:
        batch_op.create_index("ix_evidence_answers_lecture", ["lecture_id"], unique=False)

    op.create_table(
        "evidence_replays",
        sa.Column("registration_id", sa.String(length=26), nullable=False),
        sa.Column("player", sa.String(length=32), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("lecture_id", sa.String(length=26), nullable=False),
        sa.Column("recording_id", sa.String(length=26), nullable=False),
        sa.Column("spans", sa.JSON(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("beats", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lecture_id"], ["lectures.id"], name=op.f("fk_evidence_replays_lecture_id_lectures")
        ),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_evidence_replays_recording_id_recordings")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
            name=op.f("fk_evidence_replays_registration_id_registrations"),
        ),
        sa.PrimaryKeyConstraint("registration_id", "player", "minute", name=op.f("pk_evidence_replays")),
    )
    with op.batch_alter_table("evidence_replays", schema=None) as batch_op:
        batch_op.create_index("ix_evidence_replays_lecture", ["lecture_id"], unique=False)

    op.create_table(
        "evidence_segments",
        sa.Column("registration_id", sa.String(length=26), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("lecture_id", sa.String(length=26), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("to_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lecture_id"], ["lectures.id"], name=op.f("fk_evidence_segments_lecture_id_lectures")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
            name=op.f("fk_evidence_segments_registration_id_registrations"),
        ),
        sa.PrimaryKeyConstraint("registration_id", "minute", name=op.f("pk_evidence_segments")),
    )
    with op.batch_alter_table("evidence_segments", schema=None) as batch_op:
        batch_op.create_index("ix_evidence_segments_lecture", ["lecture_id"], unique=False)

    op.create_table(
        "adjustments",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("institution_id", sa.String(length=26), nullable=False),
        sa.Column("lecture_id", sa.String(length=26), nullable=False),
        sa.Column("registration_id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("before_jp", sa.Integer(), nullable=False),
        sa.Column("after_jp", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("author_id", sa.String(length=26), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.String(length=26), nullable=False),
        sa.Column("undoes", sa.String(length=26), nullable=True),
        sa.Column("list_id", sa.String(length=26), nullable=True),
        sa.Column("contest_id", sa.String(length=26), nullable=True),
        sa.ForeignKeyConstraint(
            ["contest_id"], ["contests.id"], name=op.f("fk_adjustments_contest_id_contests")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["units.id"], name=op.f("fk_adjustments_institution_id_units")
        ),
        sa.ForeignKeyConstraint(
            ["lecture_id"], ["lectures.id"], name=op.f("fk_adjustments_lecture_id_lectures")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["attendance_lists.id"], name=op.f("fk_adjustments_list_id_attendance_lists")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_adjustments_person_id_persons")),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
            name=op.f("fk_adjustments_registration_id_registrations"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_adjustments")),
        sa.UniqueConstraint("id", name=op.f("uq_adjustments_id")),
        sa.UniqueConstraint("undoes", name=op.f("uq_adjustments_undoes")),
    )
    with op.batch_alter_table("adjustments", schema=None) as batch_op:
        batch_op.create_index("ix_adjustments_batch", ["batch_id"], unique=False)
        batch_op.create_index("ix_adjustments_lecture", ["lecture_id"], unique=False)
        batch_op.create_index("ix_adjustments_registration", ["registration_id", "number"], unique=False)

    with op.batch_alter_table("attendance", schema=None) as batch_op:
        batch_op.add_column(sa.Column("first_join", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("last_leave", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("reconnects", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("devices", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("checks_asked", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("checks_answered", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("replay_seconds", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(
            sa.Column(
                "sort_name",
                sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
                server_default="",
                nullable=False,
            )
        )
        batch_op.drop_index(batch_op.f("ix_attendance_lecture_id"))
        batch_op.create_index(
            "ix_attendance_lecture_sort", ["lecture_id", "sort_name", "registration_id"], unique=False
        )
        batch_op.create_index("ix_attendance_lecture_state", ["lecture_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_attendance_person_id"), ["person_id"], unique=False)

    with op.batch_alter_table("policies", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lecturer_percent", sa.Integer(), server_default="100", nullable=False))
        batch_op.add_column(sa.Column("organiser_percent", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("checks", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("checks_needed", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("check_s", sa.Integer(), server_default="120", nullable=False))
        batch_op.add_column(sa.Column("replay_percent", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("replay_days", sa.Integer(), server_default="7", nullable=False))
        batch_op.add_column(sa.Column("created_by", sa.String(length=26), nullable=True))

    _carry_over()


def _carry_over() -> None:
    """What follows from rows that are there: shares of lecturers, totals of the ledger, headers of final logs."""
    at = op.get_bind()
    at.execute(sa.text("UPDATE policies SET lecturer_percent = 0 WHERE NOT lecturer_earns"))
    at.execute(
        sa.text(
            "INSERT INTO hour_totals (person_id, year, institution_id, jp, entries)"
            " SELECT person_id, year, min(institution_id), sum(jp), count(*) FROM ledger GROUP BY person_id, year"
        )
    )
    at.execute(
        sa.text(
            "UPDATE attendance SET sort_name ="
            " (SELECT sort_name FROM persons WHERE persons.id = attendance.person_id)"
        )
    )
    _carry_over_intervals(at)
    for lecture_id in at.execute(sa.text("SELECT DISTINCT lecture_id FROM attendance")).scalars().all():
        at.execute(sa.insert(_tallies).values(**_tally(at, lecture_id)))


def _carry_over_intervals(at: sa.Connection) -> None:
    rows = at.execute(sa.select(_attendance.c.registration_id, _attendance.c.intervals)).all()
    known = [
        {"key": key, "first": spans[0][0], "last": max(span[1] for span in spans)}
        for key, spans in rows
        if spans
    ]
    if known:
        at.execute(
            sa.update(_attendance)
            .where(_attendance.c.registration_id == sa.bindparam("key"))
            .values(first_join=sa.bindparam("first"), last_leave=sa.bindparam("last"), devices=1),
            known,
        )


def _tally(at: sa.Connection, lecture_id: str) -> dict[str, object]:
    rows = at.execute(sa.select(_attendance).where(_attendance.c.lecture_id == lecture_id)).all()
    came = sum(row.seconds > 0 for row in rows)
    return {
        "lecture_id": lecture_id,
        "final": True,
        "policy_version": at.execute(
            sa.select(_lectures.c.policy_version).where(_lectures.c.id == lecture_id)
        ).scalar_one(),
        "rules_version": rows[0].rules_version,
        "high_water": rows[0].high_water,
        "window": _window(at, lecture_id),
        "summary": {
            "registered": len(rows),
            "came": came,
            "absent": len(rows) - came,
            "credited": sum(row.jp > 0 for row in rows),
            "doubtful": sum(row.state == "doubtful" for row in rows),
        },
        "curve": [],
        "rows": len(rows),
        "evidence_sha256": None,
        "computed_at": max(row.computed_at for row in rows),
    }


def _window(at: sa.Connection, lecture_id: str) -> list[list[int]]:
    fixed = at.execute(
        sa.select(_windows.c.spans)
        .where(_windows.c.lecture_id == lecture_id)
        .order_by(_windows.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    if fixed:
        return list(fixed)
    times = sa.select(_lectures.c.starts_at, _lectures.c.ends_at).where(_lectures.c.id == lecture_id)
    return [list(at.execute(times).one())]


_attendance = sa.table(
    "attendance",
    sa.column("registration_id"),
    sa.column("lecture_id"),
    sa.column("seconds"),
    sa.column("jp"),
    sa.column("state"),
    sa.column("intervals", sa.JSON),
    sa.column("rules_version"),
    sa.column("high_water", sa.JSON),
    sa.column("computed_at"),
    sa.column("first_join"),
    sa.column("last_leave"),
    sa.column("devices"),
)
_lectures = sa.table(
    "lectures", sa.column("id"), sa.column("policy_version"), sa.column("starts_at"), sa.column("ends_at")
)
_windows = sa.table("lecture_windows", sa.column("id"), sa.column("lecture_id"), sa.column("spans", sa.JSON))
_tallies = sa.table(
    "tallies",
    sa.column("lecture_id"),
    sa.column("final", sa.Boolean),
    sa.column("policy_version"),
    sa.column("rules_version"),
    sa.column("high_water", sa.JSON),
    sa.column("window", sa.JSON),
    sa.column("summary", sa.JSON),
    sa.column("curve", sa.JSON),
    sa.column("rows"),
    sa.column("evidence_sha256"),
    sa.column("computed_at"),
)


def downgrade() -> None:
    with op.batch_alter_table("policies", schema=None) as batch_op:
        batch_op.drop_column("created_by")
        batch_op.drop_column("replay_days")
        batch_op.drop_column("replay_percent")
        batch_op.drop_column("check_s")
        batch_op.drop_column("checks_needed")
        batch_op.drop_column("checks")
        batch_op.drop_column("organiser_percent")
        batch_op.drop_column("lecturer_percent")

    with op.batch_alter_table("attendance", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attendance_person_id"))
        batch_op.drop_index("ix_attendance_lecture_state")
        batch_op.drop_index("ix_attendance_lecture_sort")
        batch_op.create_index(batch_op.f("ix_attendance_lecture_id"), ["lecture_id"], unique=False)
        batch_op.drop_column("sort_name")
        batch_op.drop_column("replay_seconds")
        batch_op.drop_column("checks_answered")
        batch_op.drop_column("checks_asked")
        batch_op.drop_column("devices")
        batch_op.drop_column("reconnects")
        batch_op.drop_column("last_leave")
        batch_op.drop_column("first_join")

    with op.batch_alter_table("adjustments", schema=None) as batch_op:
        batch_op.drop_index("ix_adjustments_registration")
        batch_op.drop_index("ix_adjustments_lecture")
        batch_op.drop_index("ix_adjustments_batch")

    op.drop_table("adjustments")
    with op.batch_alter_table("evidence_segments", schema=None) as batch_op:
        batch_op.drop_index("ix_evidence_segments_lecture")

    op.drop_table("evidence_segments")
    with op.batch_alter_table("evidence_replays", schema=None) as batch_op:
        batch_op.drop_index("ix_evidence_replays_lecture")

    op.drop_table("evidence_replays")
    with op.batch_alter_table("evidence_answers", schema=None) as batch_op:
        batch_op.drop_index("ix_evidence_answers_lecture")

    op.drop_table("evidence_answers")
    with op.batch_alter_table("contests", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_contests_open",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.drop_index("ix_contests_person")
        batch_op.drop_index("ix_contests_lecture")

    op.drop_table("contests")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_index("ix_consents_person")
        batch_op.drop_index(batch_op.f("ix_consents_lecture_id"))

    op.drop_table("consents")
    op.drop_table("tallies")
    op.drop_table("retired_evidence")
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.drop_index("ix_reports_lecture")
        batch_op.drop_index("ix_reports_expires_at")

    op.drop_table("reports")
    op.drop_table("presence_checks")
    with op.batch_alter_table("attendance_lists", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attendance_lists_lecture_id"))

    op.drop_table("attendance_lists")
    with op.batch_alter_table("hour_totals", schema=None) as batch_op:
        batch_op.drop_index("ix_hour_totals_institution")

    op.drop_table("hour_totals")
    with op.batch_alter_table("exemptions", schema=None) as batch_op:
        batch_op.drop_index("ix_exemptions_person")
        batch_op.drop_index(batch_op.f("ix_exemptions_institution_id"))

    op.drop_table("exemptions")
    op.drop_table("year_targets")
    op.drop_table("retention")
