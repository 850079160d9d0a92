"""Passwords and tokens of URIs are shown nowhere, whatever their form."""

import sys
import traceback

import pytest
import sqlalchemy as sa

from harness.core.errors import StoreError
from harness.protocol.trial_storage import open_storage
from harness.tracking.connect import telling_where
from harness.tracking.opening import open_experiment
from harness.tracking.provenance import public_command
from harness.tracking.studies import list_studies, owner_of
from harness.tracking.uris import describe_error, hide_in_error, hide_password

URIS = [  # a URI, what of it is secret, and what stays
    ("postgresql://me:S3cret@db/mlflow", "S3cret", "me"),
    ("postgresql+psycopg2://me:S3cret@db:5432/mlflow", "S3cret", "5432"),
    ("postgresql://me:S3%40cr%2Fet@db/mlflow", "cr", "db/mlflow"),
    ("postgresql://me:S3@cret@db/mlflow", "cret", "@db/mlflow"),
    ("postgresql://me:S3/cret@db/mlflow", "cret", "@db/mlflow"),
    ("postgresql://:S3cret@db/mlflow", "S3cret", "db"),
    ("postgresql://me@db/mlflow?password=S3cret&sslmode=require", "S3cret", "sslmode=require"),
    ("postgresql://me@db/mlflow?sslmode=require&sslpassword=S3cret", "S3cret", "me@db"),
    ("postgresql://me:x1y2@db/mlflow?pass%77ord=S3cret", "S3cret", "db/mlflow"),
    ("postgresql://me@db/mlflow?PassWord=S3%20cret", "cret", "db/mlflow"),
    ("mysql+pymysql://me:S3cret@db/mlflow?charset=utf8", "S3cret", "charset=utf8"),
    ("mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3DS3cret", "S3cret", "mssql"),
    ("http://me:S3cret@mlflow.example:5000", "S3cret", "mlflow.example:5000"),
    ("https://S3cret@mlflow.example/path", "S3cret", "mlflow.example/path"),
    ("https://mlflow.example/?token=S3cret#a", "S3cret", "#a"),
    ("https://mlflow.example/?a=1&access_token=S3cret", "S3cret", "a=1"),
    ("https://mlflow.example/?api_key=S3cret", "S3cret", "mlflow.example"),
    ("s3://bucket/a?X-Amz-Signature=S3cret&X-Amz-Date=1", "S3cret", "X-Amz-Date=1"),
    ("tcp://me:S3cret@scheduler:8786", "S3cret", "scheduler:8786"),
]
PLAIN = [
    "sqlite:///mlflow.db",
    "sqlite:////tmp/a:b@c/mlflow.db",
    "http://127.0.0.1:5000",
    "postgresql://me@db/mlflow?sslmode=require",
    "file:///tmp/runs",
    "no URI at all: but a sentence, with a=b and me@home",
]


@pytest.mark.parametrize(("uri", "secret", "stays"), URIS)
def test_no_secret_is_shown(uri, secret, stays):
    shown = hide_password(uri)
    assert secret not in shown and "***" in shown and stays in shown
    quoted = describe_error(ValueError(f"x: can't open '{uri}', and so on"), uri)
    assert secret not in quoted and quoted.startswith("x: can't open '") and "and so on" in quoted
    for words in (["run", "s.py", uri], ["run", "--store", uri], ["import", "x", f"--uri={uri}"]):
        assert secret not in public_command(["harness", *words])


@pytest.mark.parametrize("uri", PLAIN)
def test_what_has_no_secret_stays(uri):
    assert hide_password(uri) == uri


def test_errors_quote_no_password_in_any_form_or_cause():
    uri = "postgresql://me:p%40s%20s'w@db/mlflow"
    for form in ("p@s s'w", "p%40s%20s'w", "p%40s%20s%27w", repr("p@s s'w")[1:-1]):
        try:
            try:
                raise ValueError(f"first: {form}")
            except ValueError as cause:
                raise RuntimeError(f"second\n{'x' * 400}{form}") from cause
        except RuntimeError as error:
            assert describe_error(error, uri) == "second"
            whole = "".join(traceback.format_exception(error))
        assert form not in whole and whole.count("***") == 2
    # one that is cut in the middle
    error = ValueError("y" * 295 + "p@s s'w")
    assert "p@s" not in describe_error(error, uri)
    hidden = OSError(13, "denied to p@s s'w")
    hide_in_error(hidden, uri)
    assert hidden.args == (13, "denied to ***")


@pytest.mark.parametrize("encoding, fix", [("ascii", "PYTHONUTF8=1"), ("utf-8", "in UTF-8")])
def test_a_name_that_cannot_be_encoded_is_told_with_its_fix(monkeypatch, encoding, fix):
    monkeypatch.setattr("sys.getfilesystemencoding", lambda: encoding)
    try:
        try:
            "\udcc3".encode()
        except UnicodeEncodeError as cause:
            raise RuntimeError("(builtins.UnicodeEncodeError) 'utf-8' codec") from cause
    except RuntimeError as error:
        assert fix in describe_error(error, "sqlite:///mlflow.db")


def test_a_missing_driver_is_told_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    uri = "postgresql+psycopg://me@127.0.0.1:1/mlflow"
    said = "can't be used: its driver is not installed; pip install 'psycopg\\[binary\\]'"
    with pytest.raises(StoreError, match=said):
        open_storage(uri)
    with pytest.raises(StoreError, match=said), telling_where(uri):
        sa.create_engine(uri)


@pytest.mark.parametrize("scheme", ["postgresql", "nonsense", "postgresql+nodriver"])
def test_stores_that_cannot_be_opened_name_no_password(folder, scheme, monkeypatch, caplog):
    monkeypatch.setattr("mlflow.store.db.utils.MAX_RETRY_COUNT", 0)
    uri = f"{scheme}://me:S3cret@127.0.0.1:1/mlflow?sslpassword=T0ken&connect_timeout=1"
    asked = (
        lambda: open_experiment("s", uri, create=True),
        lambda: list_studies(uri),
        lambda: owner_of("a" * 32, uri),
    )
    for ask in asked if scheme != "postgresql" else asked[:1]:
        with pytest.raises(StoreError) as raised:
            ask()
        whole = "".join(traceback.format_exception(raised.value)) + caplog.text
        assert "S3cret" not in whole and "T0ken" not in whole and "\n" not in str(raised.value)
