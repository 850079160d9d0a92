"""A study goes from one store to another in one file: the same results, and nothing is trained."""

import hashlib
import json
import re
import shutil
import stat
import zipfile

import pytest
from mlflow.tracking import MlflowClient

import harness as h
from harness import results
from harness.analysis.claims import judge_claims
from harness.cli.archive import export_study, import_archive
from harness.core.errors import HarnessError, StoreError
from harness.protocol.reproduce import reproduce
from harness.protocol.run import Options, run_study
from harness.report.page import render
from harness.tracking.archive import file as archive_file
from harness.tracking.archive import looks_like_archive, unpack_study
from tests.report.pages import unpacked
from tests.studies import small
from tests.tracking.conftest import use_client

# one process makes the exported study once for all
pytestmark = pytest.mark.xdist_group("archive")

FEW = {"probes": ["Confusion"], "keep": "last", "search": h.Search(trials=3, batch=3)}
"""Makes of the small study one of 6 + 4 runs, with arrays and weights."""


@pytest.fixture(scope="module")
def exported(tmp_path_factory, template_store):
    """A finished study's store and its archive."""
    folder = tmp_path_factory.mktemp("exporter")
    shutil.copy(template_store, folder / "mlflow.db")
    store = f"sqlite:///{folder / 'mlflow.db'}"
    study = small(**FEW)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run_study(study, Options(workers=0, uri=store))
        export_study("small", folder / "small.zip", store)
    return study, store, folder / "small.zip"


def neutral(page, loaded):
    """A report without ids and links, which are each store's own; the runs' table holds ids packed."""
    page = re.sub(r"(?<=>)H4sI[\w+/=]+", lambda packed: unpacked(packed[0]), page)
    for number, run_id in enumerate(loaded.runs["run_id"]):
        page = page.replace(run_id, f"run-{number}")
    return re.sub(r"#/experiments/\d+", "", page)


def table(rows):
    return rows.drop(columns="run_id").to_dict("list")


@pytest.mark.parametrize("form", ["tables", "client"])
def test_another_store_has_the_same_study(exported, folder, form, monkeypatch):
    study, store, archive = exported
    theirs = results.load("small", store)
    if form == "client":
        use_client(monkeypatch)
    assert looks_like_archive(archive)
    assert unpack_study(archive, None)[1:] == (10, 10)
    ours = results.load("small")
    assert str(table(ours.runs)) == str(table(theirs.runs))
    assert str(table(ours.curves)) == str(table(theirs.curves))
    assert ours.trials.equals(theirs.trials) and ours.identity == theirs.identity != ""
    assert judge_claims(ours) == judge_claims(theirs)
    first, same = ours.confirmed["run_id"].iloc[0], theirs.confirmed["run_id"].iloc[0]
    assert first != same
    assert ours.reader.arrays(first) == theirs.reader.arrays(same) != {}
    kept, also = ours.reader.weights(first), theirs.reader.weights(same)
    assert kept and all((kept[name] == also[name]).all() for name in also)
    assert neutral(render(ours), ours) == neutral(render(theirs), theirs)
    client = MlflowClient(ours.reader.uri)
    experiment = client.get_experiment_by_name("small").experiment_id
    arms = client.search_runs([experiment], "tags.`harness.kind` = 'arm'")
    assert {run.data.params["level.optimizer"] for run in arms} == {"SGD", "Adam"}
    # again, and gone on with
    assert unpack_study(archive, None)[1:] == (10, 0)
    assert len(ours.reader.runs()) == 10
    if form == "tables":
        assert reproduce(first).verdict == "identical"
        assert run_study(study, Options(workers=0)).trained == 0
        assert run_study(small(**FEW, seeds=3), Options(workers=0)).trained == 2
        assert unpack_study(archive, None).added == 0


def test_the_command_takes_it_and_refuses_another_study_of_the_name(
    exported, folder, quick_stores, capsys
):
    _, _, archive = exported
    run_study(other(), Options(workers=0))
    with pytest.raises(StoreError, match="another study called 'small'"):
        unpack_study(archive, None)
    fresh = f"sqlite:///{folder / 'fresh.db'}"
    import_archive(archive, fresh, folder / "reports")
    assert "10 of 10 runs added" in capsys.readouterr().out
    assert (folder / "reports" / "small.html").is_file()


def other():
    """Another study called ``small``, of one run."""
    recipe = h.Recipe(data="iris", model="MLP", optimizer=h.SGD(lr=0.1), epochs=1)
    return h.Study(name="small", recipe=recipe, seeds=1)


def rewritten(archive, to, change):
    """Write a copy of an archive in which ``change`` has been made to the contents by name."""
    with zipfile.ZipFile(archive) as source:
        contents = {name: source.read(name) for name in source.namelist()}
    manifest = json.loads(contents["manifest.json"])
    change(contents, manifest)
    if "manifest.json" in contents:
        contents["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in contents.items():
            target.writestr(name, content)


def added(name, content=b"{}"):
    def change(contents, manifest):
        contents[name] = content
        manifest["sha256"][name] = hashlib.sha256(content).hexdigest()

    return change


def edited(name, old, new, told=False):
    def change(contents, manifest):
        assert old in contents[name]
        changed = contents[name].replace(old, new)
        if told:
            added(name, changed)(contents, manifest)
        contents[name] = changed

    return change


DAMAGED = {  # what is done to a good archive, and what is said of it
    "another value": (edited("index.json", b"Adam", b"Bdam"), "index.json has another checksum"),
    "a file less": (lambda c, m: c.pop("index.json"), "files are not those of its manifest"),
    "a file more": (lambda c, m: c.update(more=b""), "files are not those of its manifest"),
    "no manifest": (lambda c, m: c.pop("manifest.json"), "it has no manifest"),
    "foreign": (lambda c, m: m.update(format="x"), "expected the format 'harness study'"),
    "newer": (lambda c, m: m.update(version=2, harness="9.0"), "made by harness 9.0; this one"),
    "version": (lambda c, m: m.update(version="1"), "expected a version"),
    "above": (added("../above.json"), "names a path outside of itself"),
    "above within": (added("code/../../above.py"), "names a path outside of itself"),
    "absolute": (added("/tmp/above.py"), "names a path outside of itself"),
    "backslash": (added("code\\..\\above.py"), "names a path outside of itself"),
    "drive": (added("C:/above.py"), "names a path outside of itself"),
    "other name": (edited("study.json", b'"small"', b'"../up"', told=True), "name: String should"),
    "other spec": (edited("spec.json", b'"small"', b'"big"', told=True), "expected the name"),
    "no JSON": (added("runs/000000.json", b"{"), "no JSON"),
    "deep": (added("runs/000000.json", b"[" * 100_000), "no JSON"),
    "no run": (added("runs/000000.json", b"[]"), "is no archive that harness wrote"),
    "no curves": (added("curves/000000.json", b'{"a": [[1, "x"]]}'), "curves/000000.json"),
    "no record": (added("index.json", b'{"runs": 3}'), "index.json: KeyError|TypeError"),
    "binary code": (added("code/mine.py", b"\xff"), "expected text in UTF-8"),
}


@pytest.mark.parametrize("change", DAMAGED)
def test_what_can_t_be_trusted_is_refused(exported, folder, change):
    do, said = DAMAGED[change]
    rewritten(exported[2], folder / "bad.zip", do)
    before = {*folder.parent.rglob("*above*")}
    refused(folder / "bad.zip", said)
    assert {*folder.parent.rglob("*above*")} == before


def refused(path, said):
    with pytest.raises(HarnessError, match=said) as raised:
        unpack_study(path, None)
    assert "\n" not in str(raised.value) and "nothing was imported" in str(raised.value)
    with pytest.raises(StoreError, match="no study 'small'"):
        results.load("small")


def test_truncated_encrypted_linked_and_huge_files_are_refused(exported, folder, monkeypatch):
    whole, bad = exported[2].read_bytes(), folder / "bad.zip"
    for size in (0, 4, 100, len(whole) // 2, len(whole) - 1):
        bad.write_bytes(whole[:size])
        refused(bad, "is damaged or no zip")
    bad.write_bytes(whole[:3000] + bytes([whole[3000] ^ 255]) + whole[3001:])
    refused(bad, "is damaged")
    refused(folder / "nothing.zip", "is not there")
    with zipfile.ZipFile(bad, "w") as target:
        link = zipfile.ZipInfo("code/link.py")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        target.writestr(link, "/etc/passwd")
    refused(bad, "or a link")
    with zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("manifest.json", b"0" * 5_000_000)
    monkeypatch.setattr(archive_file, "LARGEST_FILE", 4_000_000)
    refused(bad, "too large: manifest.json has 5,000,000 bytes")
    monkeypatch.setattr(archive_file, "LARGEST_FILE", 2**30)
    monkeypatch.setattr(archive_file, "LARGEST_ARCHIVE", 4_000_000)
    refused(bad, "too large: expected at most")
    monkeypatch.setattr(archive_file, "MOST_FILES", 3)
    refused(exported[2], "more than 3 files")
