"""Tables from files, with what is wrong with one in a sentence."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import HarnessError, not_utf8
from harness.core.lazy import Lazy

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = Lazy("pandas")

PARQUETS = (".parquet", ".pq")
TEXTS = (".csv", ".tsv", ".txt")
SEPARATORS = ",;\t|"
"""What may part the columns of a text; the one that the first line has most often does."""


def read_table(
    path: Path, name: str, missing: tuple[str, ...] = (), decimal: str = "."
) -> pd.DataFrame:
    """Read a CSV or parquet file.

    Args:
        path: the file; a CSV may be compressed (``.csv.gz``).
        name: what the spec calls it, for errors.
        missing: texts that stand for missing values, beside pandas' own.
        decimal: what parts whole numbers from fractions in a CSV.

    Raises:
        HarnessError: it is of another kind, can't be read, or has no rows.
    """
    try:
        table = _read(path, name, missing, decimal)
    except HarnessError:
        raise
    except UnicodeDecodeError as error:
        raise HarnessError(f"data.path: {not_utf8(error, name)}") from None
    # pandas and pyarrow raise many kinds: of parsing, decoding and broken files
    except (OSError, ValueError, ImportError, Warning) as error:
        said = " ".join(str(error).split())[:200]
        raise HarnessError(f"data.path: {name} can't be read: {said}") from None
    if not len(table):
        raise HarnessError(f"data.path: expected rows in {name}, got a table without any")
    table.columns = table.columns.map(str)
    if twice := table.columns[table.columns.duplicated()].tolist():
        raise HarnessError(f"data.path: {name} has several columns called {twice[0]!r}")
    return table


def _read(path: Path, name: str, missing: tuple[str, ...], decimal: str) -> pd.DataFrame:
    """Read a file by its ending.

    Raises:
        HarnessError: the ending is of no table, or a decimal comma is asked for where numbers are
            stored as such.
    """
    if path.suffix in PARQUETS:
        if decimal != ".":
            raise HarnessError(
                f"data.decimal: {name} has its numbers as numbers, got {decimal!r}; leave it out"
            )
        table = pd.read_parquet(path)
        return table.replace(dict.fromkeys(missing)) if missing else table
    if not set(path.suffixes) & set(TEXTS):
        raise HarnessError(
            f"data.path: expected a table that ends in {', '.join((*TEXTS, *PARQUETS))}, got {name}"
        )
    with warnings.catch_warnings():
        # rows longer than the header would lose their last values
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            path,
            sep=separator_of(path),
            encoding="utf-8-sig",
            na_values=list(missing),
            decimal=decimal,
            # columns are typed as a whole, not by pieces
            low_memory=False,
            # else a row of one value more than the header would shift all columns by one
            index_col=False,
        )


def separator_of(path: Path) -> str:
    """Return what parts the columns, as the first line has it.

    Args:
        path: a CSV.
    """
    # the whole first line is the name of one column, where nothing parts it
    head = pd.read_csv(path, sep="\x1f", nrows=0, encoding="utf-8-sig")
    line = str(head.columns[0])
    return max(SEPARATORS, key=line.count)
