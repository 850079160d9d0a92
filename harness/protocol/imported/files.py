"""Tables from files: CSV, TSV, parquet, JSON and JSON lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from harness.core.errors import SpecError, not_utf8
from harness.core.paths import near_file
from harness.data.table_files import separator_of


def _read_csv(file: Path) -> pd.DataFrame:
    """Return the table in a CSV, whatever parts its columns: commas, or what spreadsheets of
    countries with decimal commas write."""
    table = pd.read_csv(file)
    return table if table.shape[1] > 1 else pd.read_csv(file, sep=separator_of(file))


_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": _read_csv,
    ".tsv": lambda file: pd.read_csv(file, sep="\t"),
    ".parquet": pd.read_parquet,
    ".json": pd.read_json,
    ".jsonl": lambda file: pd.read_json(file, lines=True),
}


def read_rows(path: str | Path) -> pd.DataFrame:
    """Return the table in a file, whose ending says how it is read.

    Args:
        path: the file.

    Raises:
        SpecError: there is no such file, or it can't be read as its ending says.
    """
    file = Path(path)
    if not file.is_file():
        raise SpecError(
            f"{file}: no such file" + (f"; {hint}" if (hint := near_file(file)) else "")
        )
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise SpecError(f"{file}: expected {', '.join(_READERS)}, got {file.suffix or 'no ending'}")
    try:
        return reader(file)
    except UnicodeDecodeError as error:
        raise SpecError(not_utf8(error, file)) from None
    except (ValueError, OSError) as error:  # pandas' and pyarrow's own errors are ValueErrors
        raise SpecError(f"{file}: can't be read as {file.suffix[1:]}: {error}") from None
