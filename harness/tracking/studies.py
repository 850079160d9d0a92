"""What a store holds: its studies, and the study that a run belongs to."""

from __future__ import annotations

from typing import NamedTuple

from harness.core.errors import StoreError
from harness.tracking.connect import asked_again, connect, telling_where
from harness.tracking.near_run import near_run
from harness.tracking.schema import Tag
from harness.tracking.uris import default_uri, describe_error, hide_password
from harness.tracking.views import ARMS_VIEW, study_page


def list_studies(uri: str | None = None) -> list[str]:
    """Return the names of the studies in a store, in alphabetical order.

    Args:
        uri: MLflow's tracking URI; by default :func:`harness.tracking.uris.default_uri`.

    Raises:
        NoStudyError: there is no store.
        StoreError: the store can't be reached.
    """
    where = uri or default_uri()
    # a store may be shared with other programs: an experiment is a study if it has a study's run
    is_study = f"tags.`{Tag.KIND}` = 'study'"

    def ask() -> list[str]:
        client, _ = connect(where, create=False)
        return sorted(
            str(experiment.name)
            for experiment in client.search_experiments()
            if client.search_runs([experiment.experiment_id], is_study, max_results=1)
        )

    with telling_where(where):
        return asked_again(ask, where)


def study_pages(uri: str | None = None) -> dict[str, str]:
    """Return where MLflow's UI shows the runs of each study, after the address of its site.

    Args:
        uri: MLflow's tracking URI; by default :func:`harness.tracking.uris.default_uri`.

    Raises:
        NoStudyError: there is no store.
        StoreError: the store can't be reached.
    """
    where = uri or default_uri()
    with telling_where(where):
        client, _ = connect(where, create=False)
        found = client.search_experiments()
    return {
        str(experiment.name): study_page(experiment.experiment_id)
        for experiment in found
        if Tag.SAVED_VIEW + ARMS_VIEW in experiment.tags
    }


class Owner(NamedTuple):
    """The study that a run belongs to, and the run's name in MLflow's UI."""

    study: str
    run_name: str


def owner_of(run_id: str, uri: str | None = None) -> Owner:
    """Return the study that a run belongs to.

    Args:
        run_id: MLflow's id of the run.
        uri: MLflow's tracking URI; by default :func:`harness.tracking.uris.default_uri`.

    Raises:
        StoreError: MLflow has no such run.
    """
    where = uri or default_uri()
    with telling_where(where):
        client, _ = connect(where, create=False)
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        # the second of what could be no id at all, such as a name
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise StoreError(
                f"run {run_id!r}: can't be read from MLflow at {hide_password(where)}: "
                f"{describe_error(error, where)}"
            ) from error
        raise StoreError(
            f"run {run_id!r}: not in MLflow at {hide_password(where)}; {near_run(client, run_id)}"
        ) from None
    return Owner(str(client.get_experiment(run.info.experiment_id).name), str(run.info.run_name))
