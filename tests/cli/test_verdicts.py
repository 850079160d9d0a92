"""The commands that judge what the store has."""

import harness as h
from harness.protocol.run import Options, run_study
from tests.studies import small


def test_audit_and_verdicts_on_the_command_line(folder, capsys):
    from harness.cli.verdicts import show_audit, write_verdicts

    run_study(small(claims=[h.Claim.better("Adam", than="SGD", id="F10")]), Options(workers=0))
    show_audit("small", None)
    said = capsys.readouterr().out
    assert "✓ no leak between search and confirm" in said and "in study small" in said
    page = folder / "page.md"
    page.write_text("before\n<!-- verdicts -->\nold\n<!-- end of verdicts -->\nafter\n")
    write_verdicts([], folder / "out" / "verdicts.md", page, None)
    assert "old" not in page.read_text() and "(out/small.html)" in page.read_text()
    assert page.read_text().startswith("before") and page.read_text().endswith("after\n")
    lines = (folder / "out" / "verdicts.md").read_text().splitlines()
    assert lines[0].startswith("| id | claim | verdict |") and lines[2].startswith(
        "| F10 | Adam ends with a better test/loss"
    )
    assert "[small](small.html)" in lines[2]
