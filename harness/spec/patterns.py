"""Forms that texts in specs must have, and what each is called in an error message."""

from __future__ import annotations

STUDY_NAME = r"^[\w][\w .-]*$"
METRIC_NAME = r"^[a-z]\w*(/[\w.-]+)+$"
OBJECTIVE = r"^(train|valid|batch)(/[\w.-]+)+$"
VALID_METRIC = r"^valid(/[\w.-]+)+$"
BARE_METRIC = r"^[A-Za-z_][\w.-]*(/[\w.-]+)*$"
PYTHON_NAME = r"^[A-Za-z_]\w*$"
METRICS_FILE = r"\.(csv|jsonl)$"
DEVICE = r"^(auto|cpu|cuda(:\d+)?)$"

IN_WORDS = {
    STUDY_NAME: "a name of letters, digits, spaces and . _ - that begins with a letter or a digit",
    METRIC_NAME: "a metric with its part of the data, such as 'test/loss' or 'valid/accuracy'",
    OBJECTIVE: "a metric of train, valid or batch, such as 'valid/loss'",
    VALID_METRIC: "a metric of the validation data, such as 'valid/loss'",
    BARE_METRIC: "the name of a metric, such as 'f1'",
    PYTHON_NAME: "a name of letters, digits and _, such as 'f1'",
    METRICS_FILE: "a file of metrics, *.csv or *.jsonl",
    DEVICE: "auto, cpu, cuda or cuda:N",
}
"""What is expected where a text does not fit a pattern: nobody should have to read those."""
