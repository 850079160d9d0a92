"""The page's script: its modules, and how they are joined into one."""

import re
from collections import Counter

import pytest

from harness.report.script import ASSETS, PAGE_MODULES, module_source, page_script

IMPORTED = re.compile(r'^import [^;]* from "\./(\w+)\.js";', re.MULTILINE)
TOP_LEVEL = re.compile(r"^(?:export )?(?:async )?(?:const|let|function|class) (\w+)", re.MULTILINE)


def test_every_module_is_joined():
    assert sorted(PAGE_MODULES) == sorted(path.stem for path in (ASSETS / "page").glob("*.js"))


@pytest.mark.parametrize("name", PAGE_MODULES)
def test_a_module_stands_after_those_that_it_imports(name):
    before = PAGE_MODULES[: PAGE_MODULES.index(name)]
    assert [other for other in IMPORTED.findall(module_source(name)) if other not in before] == []


def test_no_name_is_defined_in_two_modules():
    names = Counter(
        name for module in PAGE_MODULES for name in TOP_LEVEL.findall(module_source(module))
    )
    assert len(names) > 50
    assert [name for name, count in names.items() if count > 1] == []


def test_nothing_of_a_module_is_left_but_its_code():
    script = page_script()
    assert not re.search(r"^\s*(import\b|export\b|//|/\*|\*)", script, re.MULTILINE)
    defined = {name for module in PAGE_MODULES for name in TOP_LEVEL.findall(module_source(module))}
    assert set(TOP_LEVEL.findall(script)) == defined
    assert "</script" not in script.lower()


@pytest.mark.parametrize("name", PAGE_MODULES)
def test_modules_are_short_and_narrow(name):
    lines = module_source(name).splitlines()
    assert len(lines) <= 250 and max(map(len, lines)) <= 120
