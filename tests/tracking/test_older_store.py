"""Databases of other versions of MLflow: copied and told before they are upgraded."""

import logging
import sqlite3

import pytest
import sqlalchemy as sa

from harness.core.errors import StoreError
from harness.tracking import Session
from harness.tracking.connect import connect
from harness.tracking.older_store import revision_of
from tests.tracking.made import ABOUT

OLDER = "3500859a5d39"
"""A revision of MLflow 2's."""


def older_database(path):
    from alembic import command
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.store.tracking.dbmodels.initial_models import Base

    engine = sa.create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        config = _get_alembic_config(f"sqlite:///{path}")
        config.attributes["connection"] = connection
        command.upgrade(config, OLDER)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage) "
                "VALUES (1, 'mine', '/nowhere', 'active')"
            )
        )
    engine.dispose()


@pytest.mark.slow
def test_an_older_database_is_copied_before_it_is_upgraded(tmp_path, caplog):
    path = tmp_path / "mlflow.db"
    older_database(path)
    with caplog.at_level(logging.WARNING, "harness"):
        session = Session("s", f"sqlite:///{path}")
        session.open(ABOUT, ())
        session.close()
    (copy,) = tmp_path.glob("mlflow.db.before-mlflow-*")
    assert revision_of(copy) == OLDER != revision_of(path)
    assert copy.name in caplog.text
    names = {e.name for e in connect(f"sqlite:///{path}", create=False).client.search_experiments()}
    assert {"mine", "s"} <= names
    with sqlite3.connect(copy) as database:
        assert ("mine",) in database.execute("SELECT name FROM experiments").fetchall()


def test_a_newer_database_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('ffffffffffff')")
    with pytest.raises(StoreError, match="newer MLflow"):
        connect(f"sqlite:///{path}", create=True)
    assert revision_of(path) == "ffffffffffff" and len(list(tmp_path.iterdir())) == 1
