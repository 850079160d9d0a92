"""What is no store's address is refused in a sentence with what was meant."""

import pytest

from harness.core.errors import StoreError
from harness.tracking.addresses import check_address
from harness.tracking.studies import list_studies


@pytest.mark.parametrize(
    "uri, fix",
    [
        ("/folder", "are sqlite:////folder/mlflow.db"),
        ("runs/mine.db", "are sqlite:///runs/mine.db"),
        ("file:///folder/mlruns", "are sqlite:////folder/mlruns/mlflow.db"),
        ("127.0.0.1:5000", "a server is http://127.0.0.1:5000"),
        ("foo://x", "got 'foo://x'"),
        ("http:/host", "got 'http:/host'"),
        ("foo://me:S3cret@x", "got 'foo://me:***@x'"),
        (
            "sqlite://",
            "three slashes come before the file's name, four before a path from the root",
        ),
        ("sqlite:///", "four before a path from the root"),
        ("sqlite:///:memory:", "four before a path from the root"),
        ("sqlite:mlflow.db", "four before a path from the root"),
    ],
)
def test_what_is_no_address_is_refused(uri, fix):
    with pytest.raises(StoreError, match="^store: expected an address such as sqlite:") as caught:
        list_studies(uri)
    assert str(caught.value).endswith(fix) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        "sqlite:///mlflow.db",
        "sqlite:////tmp/a b/mlflow.db",
        "http://127.0.0.1:5000",
        "https://mlflow.example/path",
        "postgresql+psycopg2://me@db/mlflow",
        "mysql+pymysql://db/mlflow",
        "mssql+pyodbc:///?odbc_connect=x",
        "databricks",
        "databricks://profile",
    ],
)
def test_addresses_of_stores(uri):
    check_address(uri)
