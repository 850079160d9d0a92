"""The arguments and flags of ``harness import``, which are many."""

from __future__ import annotations

from typing import Annotated

import typer

ImportWhere = Annotated[
    str,
    typer.Argument(
        help="File that 'harness export' wrote; or runs trained elsewhere: a CSV, TSV, parquet, "
        "JSON or JSON-lines file, an MLflow experiment, or files from Weights & Biases.",
        metavar="SOURCE",
        show_default=False,
    ),
]
ImportKind = Annotated[
    str, typer.Option("--from", help="What the source is: table, mlflow or wandb.")
]
ImportName = Annotated[str | None, typer.Option(help="Name of the study. [default: the source's]")]
ImportQuestion = Annotated[str, typer.Option(help="The question in a sentence.")]
ImportClaims = Annotated[
    list[str] | None,
    typer.Option(
        "--claim",
        help="What is tested, such as 'Adam better than SGD on test/accuracy by 0.01', 'A no worse "
        "than B on M by 0.1', 'A equal to B on M by 0.1', 'A above 0.9 on M'. Repeatable.",
        metavar="SENTENCE",
    ),
]
ImportMetric = Annotated[str | None, typer.Option(help="What arms are ranked by.")]
ImportColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        help="A column of another name than arm, seed, search or step, such as arm=optimizer; of "
        "MLflow arm=params.optimizer. Repeatable.",
        metavar="ROLE=COLUMN",
    ),
]
ImportMetrics = Annotated[
    list[str] | None,
    typer.Option(
        "--measured",
        help="A column that is a metric; all others by default. Repeatable.",
        metavar="COLUMN",
    ),
]
ImportLarger = Annotated[
    list[str] | None,
    typer.Option(
        "--larger-is-better",
        help="A metric of which more is better, where its name does not tell. Repeatable.",
        metavar="COLUMN",
    ),
]
ImportSmaller = Annotated[
    list[str] | None,
    typer.Option(
        "--smaller-is-better",
        help="A metric of which less is better. Repeatable.",
        metavar="COLUMN",
    ),
]
ImportUri = Annotated[
    str | None,
    typer.Option("--uri", help="Tracking URI of the MLflow experiment. [default: the store]"),
]
