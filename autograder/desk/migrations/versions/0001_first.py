"""The first tables, and the rule that decisions are only added."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.String(200)
_LONG_ID = sa.String(400)


def _answer() -> list[sa.Column]:
    return [
        sa.Column("problem", _ID, primary_key=True),
        sa.Column("item", _ID, primary_key=True),
        sa.Column("student", _LONG_ID, primary_key=True),
    ]


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "grader",
        sa.Column("name", _ID, primary_key=True),
        sa.Column("token_sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("invited_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "setting",
        sa.Column("name", _ID, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "rubric",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("problem", _ID, nullable=False),
        sa.Column("item", _ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("by", _ID, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("problem", "item", "version"),
    )
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("problem", _ID, nullable=False),
        sa.Column("item", _ID, nullable=False),
        sa.Column("student", _LONG_ID, nullable=False),
        sa.Column("answer", sa.String(64), nullable=False),
        sa.Column("by", _ID, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("ticks", sa.JSON, nullable=False),
        sa.Column("adjustment", sa.Float, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("rubric_version", sa.Integer, nullable=False),
        sa.Column("replaces", sa.Integer, sa.ForeignKey("decision.id")),
        sa.Column("batch", sa.String(40), nullable=False),
    )
    op.create_index("decision_answer", "decision", ["problem", "item", "student"])
    op.create_index("decision_by", "decision", ["by", "id"])
    op.create_table(
        "answer_text",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "standing",
        *_answer(),
        sa.Column("decision", sa.Integer, sa.ForeignKey("decision.id"), nullable=False),
        sa.Column("recorded", sa.Integer),
    )
    op.create_table(
        "claim",
        *_answer(),
        sa.Column("by", _ID, nullable=False),
        sa.Column("since", sa.DateTime, nullable=False),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("problem", _ID, nullable=False),
        sa.Column("item", _ID, nullable=False),
        sa.Column("student", _LONG_ID, nullable=False),
        sa.Column("by", _ID, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("event_answer", "event", ["problem", "item", "student"])
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER decision_no_{verb.lower()} BEFORE {verb} ON decision "
                "BEGIN SELECT RAISE(ABORT, 'decisions are only added'); END"
            )
    elif op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION decision_is_final() RETURNS trigger AS "
            "$$ BEGIN RAISE EXCEPTION 'decisions are only added'; END $$ LANGUAGE plpgsql"
        )
        op.execute(
            "CREATE TRIGGER decision_is_final BEFORE UPDATE OR DELETE ON decision "
            "FOR EACH ROW EXECUTE FUNCTION decision_is_final()"
        )
