"""Studies on a user's own executor: the answer is that of this machine's workers."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import results
from harness.core.errors import SpecError
from harness.protocol.progress import Progress
from harness.protocol.run import Options, run_study
from tests.studies import small


class Told(Progress):
    def __init__(self):
        self.lines, self.total = [], 0

    def say(self, text):
        self.lines.append(text)

    def made(self, total):
        self.total = total


@pytest.mark.slow
def test_a_study_on_a_user_s_executor_has_the_local_answer(folder):
    study, told = small(search=small().search.model_copy(update={"trials": 3})), Told()
    with ThreadPoolExecutor(1) as threads:
        run_study(study, Options(executor=threads, uri="sqlite:///threads.db"), told)
    run_study(study, Options(workers=0, uri="sqlite:///local.db"))
    tables = [results.load("small", f"sqlite:///{name}.db").runs for name in ("threads", "local")]
    timed = [name for name in tables[0] if "seconds" in name or "time" in name or name == "run_id"]
    first, second = (table.drop(columns=timed) for table in tables)
    assert first.equals(second) and len(first) > 0
    assert sum("were read on" in line for line in told.lines) == 1


def test_what_is_no_executor_is_refused(folder):
    with pytest.raises(SpecError, match=r"executor: expected a concurrent.futures.Executor.*got 4"):
        run_study(small(), Options(executor=4))
