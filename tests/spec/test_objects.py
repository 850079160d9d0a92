"""Python objects in specs: named, told apart, written and found again."""

import json
import os
import subprocess
import sys
import threading
from functools import partial

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

import harness as h
from harness.core.errors import HarnessError
from harness.spec.component import parse_part
from harness.spec.object_digest import object_digest
from harness.spec.objects import find_object, name_object, unpack_partial
from harness.spec.stored import read_stored
from tests import plugins

SCALE = 2.0


def scaled_by(by):
    return lambda out, y: by * (out - y).abs().mean(-1)


def executed(text, **names):
    """What a notebook's cell defines: code without a file, in a module that can't be imported."""
    namespace = {"__name__": "__main__", "torch": torch, "nn": nn, **names}
    exec(text, namespace)
    return namespace


def recipe(**fields):
    base = {"data": "iris", "model": h.MLP(widths=(4,)), "optimizer": h.SGD(lr=0.1), "epochs": 2}
    return h.Recipe(**base | fields)


OBJECTS = [
    ("model", plugins.TinyNet, {"name": "tests.plugins.TinyNet"}),
    ("model", partial(plugins.TinyNet, width=3), {"name": "tests.plugins.TinyNet", "width": 3}),
    (
        "model",
        partial(plugins.TinyNet, width=h.Choice(3, 4)),
        {"name": "tests.plugins.TinyNet", "width": {"choice": [3, 4]}},
    ),
    ("loss", plugins.cubic, {"name": "tests.plugins.cubic"}),
    ("loss", nn.HuberLoss, {"name": "torch.nn.modules.loss.HuberLoss"}),
    (
        "optimizer",
        partial(partial(torch.optim.SGD, momentum=0.5), lr=h.LogUniform(0.1, 1.0)),
        {"name": "torch.optim.sgd.SGD", "momentum": 0.5, "lr": {"log_uniform": [0.1, 1.0]}},
    ),
    ("optimizer", partial(plugins.Descent, lr=0.1), {"name": "tests.plugins.Descent", "lr": 0.1}),
    ("regularizer", plugins.Shrink, {"name": "tests.plugins.Shrink", "by": 1.01}),
    (
        "schedule",
        partial(torch.optim.lr_scheduler.StepLR, step_size=np.int64(2)),
        {"name": "torch.optim.lr_scheduler.StepLR", "step_size": 2, "by": "epoch"},
    ),
]


@pytest.mark.parametrize("kind, given, plain", OBJECTS)
def test_what_can_be_imported_is_its_dotted_name(kind, given, plain):
    part = parse_part(kind, given)
    assert part.dump() == plain
    again = parse_part(kind, json.loads(json.dumps(plain)))
    assert again == part and hash(again) == hash(part)


def test_positional_arguments_of_partials_get_their_names():
    assert unpack_partial(partial(scaled_by, 3)) == (scaled_by, {"by": 3})
    without_names = partial(max, 3)
    assert unpack_partial(without_names) == (without_names, {})


def test_objects_among_arguments_are_names_until_they_are_called_for():
    part = h.ExternalModel(plugins.TinyNet, width=2, act=nn.Tanh, more=[1, {"by": nn.ReLU}])
    plain = json.loads(json.dumps(part.dump()))
    assert plain["act"] == {"object": "torch.nn.modules.activation.Tanh"} and plain["width"] == 2
    assert h.ExternalModel.parse(plain) == part
    assert part.arguments() == {"width": 2, "act": nn.Tanh, "more": [1, {"by": nn.ReLU}]}
    choice = h.ExternalModel(plugins.TinyNet, act=h.Choice(nn.Tanh, nn.ReLU))
    assert choice.objects()[1:] == [
        "torch.nn.modules.activation.Tanh",
        "torch.nn.modules.activation.ReLU",
    ]


def test_equal_lambdas_are_one_and_others_differ():
    a, b = recipe(loss=scaled_by(2)), recipe(loss=scaled_by(2))
    assert a == b and hash(a) == hash(b) and a.dump() == b.dump()
    assert (
        a.loss.target.startswith("local.lambda-") and len(a.loss.target) == len("local.lambda-") + 8
    )
    others = [
        scaled_by(3),
        scaled_by(2.0),  # another type, which may compute otherwise
        lambda out, y: 2 * (out - y).abs().mean(-1),
        lambda out, y: 2 * (out - y).abs().mean(0),
        lambda out, y, by=2: by * (out - y).abs().mean(-1),
        lambda out, y, by=3: by * (out - y).abs().mean(-1),
    ]
    names = {recipe(loss=other).loss.target for other in others}
    assert len(names) == len(others) and a.loss.target not in names


def test_two_lambdas_in_one_line_differ():
    first, second = (
        lambda out, y: (out - y).abs().mean(-1),
        lambda out, y: (out - y).pow(2).mean(-1),
    )
    assert name_object(first) != name_object(second)


CELL = """
class Net(nn.Module):
    def __init__(self, input_shape, outputs):
        super().__init__()
        self.out = nn.Linear(input_shape[0], outputs)

    def forward(self, x):
        return SCALE * helper(self.out(x))

def helper(x):
    return torch.tanh(x) * HELP
"""


def test_a_notebook_s_class_is_its_code_and_what_it_reads():
    one = name_object(executed(CELL, SCALE=2, HELP=1)["Net"])
    assert one.startswith("local.Net-")
    assert one == name_object(executed("# moved\n\n" + CELL, SCALE=2, HELP=1, OTHER=3)["Net"])
    assert one != name_object(executed(CELL, SCALE=3, HELP=1)["Net"])
    assert one != name_object(executed(CELL, SCALE=2, HELP=5)["Net"]), "of a function that it calls"
    assert one != name_object(executed(CELL.replace("x))", "x) + 1)"), SCALE=2, HELP=1)["Net"])


def test_arrays_are_their_bytes():
    x = np.arange(12.0).reshape(6, 2)
    names = [
        name_object(given)
        for given in (
            (x, [0, 1] * 3),
            (x.copy(), [0, 1] * 3),
            (x + 1, [0, 1] * 3),
            (x.astype(np.float32), [0, 1] * 3),
            (x.reshape(2, 6), [0, 1] * 3),
            (torch.from_numpy(x), [0, 1] * 3),
        )
    ]
    assert names[0] == names[1] and len(set(names)) == 5
    bits = torch.tensor([1.0, 2.0], dtype=torch.bfloat16, requires_grad=True)
    assert object_digest(bits) == object_digest(bits.clone()) != object_digest(2 * bits)


DIGESTS = """
import numpy as np, torch, collections, functools
from torch import nn
from harness.spec.object_digest import object_digest
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
def outer(n):
    names = {"a", "b", "c"}
    @functools.lru_cache
    def inner(x):
        return sorted(names), x in {"p", "q", "r"}, net, n
    return inner
class Base:
    x: int = 3
    @property
    def p(self): return self.x
class Mine(Base, nn.Module):
    y = collections.OrderedDict(a=1)
    @staticmethod
    def s(): return [Mine, outer]
for value in (outer(np.ones(3)), Mine, net, functools.partial(outer(2), 5), torch.nn.ReLU().forward):
    print(object_digest(value))
"""


def test_hashes_are_the_same_in_every_process():
    """Sets have another order in each, dynamic classes other addresses."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", DIGESTS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1 and len(set(outputs.pop().split())) == 5


def test_what_can_t_be_copied_is_refused_with_the_fix():
    lock = threading.Lock()
    with pytest.raises(HarnessError, match="holds a lock, which can't be copied.*; make it inside"):
        name_object(lambda out, y: lock)


WRONG = [
    ("model", nn.Linear(2, 2), "expected a class or a function that makes the network.*got a Linear made already; give the class .Linear., partial"),
    ("model", torch.optim.SGD, "expected a torch.nn.Module class or a function"),
    ("model", "torch.pi", "expected a torch.nn.Module class or a function that makes a module, got 3.14"),
    ("optimizer", torch.optim.SGD([torch.zeros(1)], lr=0.1), r"got a SGD made already.*give partial\(SGD, lr=…\)"),
    ("optimizer", nn.Linear, "expected a class with the interface of torch.optim.Optimizer"),
    ("optimizer", torch.optim.lr_scheduler.StepLR, "which is a schedule; give it as schedule"),
    ("optimizer", h.MLP(), "expected a optimizer by name or a mapping with 'name', got MLP"),
    ("loss", dict, "expected a function .out, y. that returns one loss a sample, or a loss module"),
    ("data", nn.Linear(2, 2).parameters(), "expected .x, y., a Dataset, or a function that returns such, got a generator"),
    ("init", nn.init.zeros_, "must subclass harness.Init"),
    ("schedule", torch.optim.lr_scheduler.ReduceLROnPlateau, "known before training, got ReduceLROnPlateau, which goes by a metric; .*EarlyStopping"),
]  # fmt: skip


@pytest.mark.parametrize("kind, given, said", WRONG)
def test_objects_of_the_wrong_kind_are_refused_in_a_sentence(kind, given, said):
    with pytest.raises(ValueError, match=said):
        parse_part(kind, given)


def test_levels_are_named_after_their_objects():
    study = h.Study(
        name="s",
        recipe=recipe(model=partial(plugins.TinyNet, act=nn.ReLU)),
        compare={"model.act": [nn.ReLU, nn.Tanh], "loss": [plugins.cubic, nn.HuberLoss]},
        seeds=2,
    )
    assert list(study.compare["model.act"]) == ["ReLU", "Tanh"]
    assert list(study.compare["loss"]) == ["cubic", "HuberLoss"]
    assert h.Study.model_validate(json.loads(json.dumps(study.dump()))) == study


def test_a_name_of_another_process_says_so_and_results_can_be_read():
    plain = recipe().dump() | {"model": {"name": "local.Net-01234567", "width": 3}}
    said = "local.Net-01234567 can't be found: .*define it at the top level of a file .*mine.Net"
    with pytest.raises(ValidationError, match=said):
        h.Recipe.model_validate(plain)
    plain["regularizers"] = [{"name": "local.Own-01234567", "by": 0.5}]
    plain["optimizer"] = {"name": "no.such.Optimizer", "lr": 0.5}
    read = read_stored({"name": "s", "recipe": plain}).recipe
    assert read.model.args == {"width": 3}
    assert read.settings()["regularizers.local.Own-01234567.by"] == 0.5
    assert read.with_values({"optimizer.lr": 0.1}).settings()["optimizer.lr"] == 0.1
    with pytest.raises(HarnessError, match="can't import no.such.Optimizer"):
        read.optimizer.load()()


def test_a_notebook_s_source_is_kept_where_there_is_any():
    import linecache

    text = "def loss(out, y):\n    return (out - y).abs().mean(-1)\n"
    linecache.cache["<cell 1>"] = (len(text), None, text.splitlines(keepends=True), "<cell 1>")
    names = {"__name__": "__main__"}
    exec(compile(text, "<cell 1>", "exec"), names)
    part = parse_part("loss", names["loss"])
    (source,) = part.targets()
    assert source.texts == {part.target.replace(".", "/") + ".txt": text}
    assert find_object(name_object(executed(CELL, SCALE=1, HELP=1)["Net"])).source.texts == {}
