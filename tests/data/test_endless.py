"""Samples that come one after the other: shards, passes, workers, and runs that go on."""

import itertools
import re
from functools import partial

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

import harness as h
from harness.core.errors import HarnessError
from harness.core.streams import derive
from harness.data.base import Data, load_data
from harness.data.shards import Order
from harness.engine import stream_batches
from harness.engine.batching import check_batching
from harness.engine.cohort import start
from harness.engine.loop import advance
from harness.execution.jobs import Job, perform
from harness.protocol.check import check_study
from harness.protocol.runs import key_of
from harness.spec.arms import Run
from harness.spec.resolved import resolve
from tests.engine.test_checkpoint import same

HERE = "tests.data.test_endless"


def sample(number):
    """A sample that its number can be read off."""
    drawn = np.random.RandomState(number)
    x = torch.tensor([float(number), *drawn.randn(3)], dtype=torch.float32)
    return x, number % 2


HELD_OUT = [sample(1000 + number) for number in range(20)]


def with_parts(train):
    return {"train": train, "valid": HELD_OUT, "test": HELD_OUT}


class Lines(IterableDataset):
    """Ten samples a pass, shared out as torch's documentation has it, in an order that is drawn."""

    def __init__(self, count=10, draws=True):
        self.count, self.draws = count, draws

    def __iter__(self):
        info = get_worker_info()
        first, step = (0, 1) if info is None else (info.id, info.num_workers)
        own = list(range(self.count))[first::step]
        order = torch.randperm(len(own)) if self.draws else range(len(own))
        for place in order:
            yield sample(own[int(place)])


def counted(shard=0, shards=1):
    """Without an end."""
    return map(sample, itertools.count(shard, shards))


def without_shards():
    return map(sample, itertools.count())


lines = partial(with_parts, Lines())
endless = partial(with_parts, counted)
unsharded = partial(with_parts, without_shards)
nothing = partial(with_parts, partial(iter, ()))


def loader():
    return with_parts(DataLoader(Lines(), batch_size=3))


def alone():
    return Lines()


def generator():
    return with_parts(counted())


def held_out_too():
    return {"train": Lines(), "valid": Lines()}


def fails():
    yield sample(0)
    yield sample(1)
    raise KeyError("line 2")


failing = partial(with_parts, fails)


def streamed(name="lines", **stream):
    return {"name": f"{HERE}.{name}", "stream": {"classes": 2} | stream}


def recipe(data=None, **fields):
    made = h.Recipe(
        data=data or streamed(),
        model=h.MLP(widths=(5,)),
        optimizer=h.Adam(lr=0.01),
        batch_size=4,
        steps=8,
        eval_every=4,
    )
    return made.with_values(fields)


def stream_of(data):
    return load_data(Data.parse(data)).streams.train


def read_on(batches, count):
    """The samples of the next batches, one after the other."""
    return list(itertools.chain(*numbers(batches, count)))


def numbers(batches, count):
    """The samples of the next batches, by number."""
    return [[int(x) for x in batch.x[:, 0]] for batch in itertools.islice(batches, count)]


def trained(own, seed=0):
    done = perform(Job((0,), (Run.of(own, seed),), test=True))
    assert not done.error, done.error
    outcome = done.outcomes[0]
    return [p.metrics for p in outcome.points]


@pytest.fixture(autouse=True)
def ended():
    yield
    stream_batches.stop_reading()


def test_passes_follow_each_other_each_in_an_order_of_the_run_s():
    stream = stream_of(streamed())
    read = read_on(stream.batches(4, Order(7, False), 0), 5)
    assert sorted(read[:10]) == sorted(read[10:]) == list(range(10))
    for number, own in enumerate((read[:10], read[10:])):
        torch.manual_seed(derive(7, "shard", number, 0))
        assert own == torch.randperm(10).tolist()
    again = read_on(stream.batches(4, Order(7, True), 0), 5)
    assert again == read[:10] * 2
    assert read_on(stream.batches(4, Order(8, False), 0), 5) != read


@pytest.mark.parametrize("name", ["lines", "endless"])
def test_batches_are_of_one_shard_each_by_turns(name):
    read = numbers(stream_of(streamed(name, shards=2)).batches(3, Order(0, False), 0), 4)
    assert [{number % 2 for number in batch} for batch in read] == [{0}, {1}, {0}, {1}]
    if name == "endless":
        assert read == [[0, 2, 4], [1, 3, 5], [6, 8, 10], [7, 9, 11]]


@pytest.mark.parametrize("first", [0, 3])
def test_workers_read_the_same_and_so_does_who_begins_in_the_middle(first):
    stream = stream_of(streamed(shards=4))
    expected = numbers(stream.batches(4, Order(0, False), 0), first + 6)[first:]
    # of 3 workers 2 share 4 shards evenly
    for workers in (0, 3):
        batches = stream._replace(workers=workers).batches(4, Order(0, False), first)
        assert numbers(batches, 6) == expected
        batches.close()


def test_runs_have_the_same_numbers_with_workers_and_when_they_go_on():
    one = recipe(streamed(shards=2))
    assert trained(one) == trained(recipe(streamed(shards=2, workers=2)))
    assert key_of(Run.of(one, 0)) == key_of(Run.of(recipe(streamed(shards=2, workers=2)), 0))
    assert key_of(Run.of(one, 0)) != key_of(Run.of(recipe(streamed()), 0))
    whole = advance(start([Run.of(one, 0)], test=True)).outcomes[0]
    half = advance(start([Run.of(one, 0)], test=True), 4)
    stream_batches.stop_reading()  # as in another process
    same(whole, advance(half).outcomes[0])


def test_lengths_are_in_steps_or_samples_and_the_run_is_one_epoch():
    curves = h.train(recipe(steps=None, samples=30, eval_every=8)).curves
    assert curves["step"].tolist() == [0, 2, 4, 6, 8]
    assert curves["samples"].tolist() == [0, 8, 16, 24, 32]
    assert curves["epoch"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    together, why = check_batching(resolve(recipe()))
    assert not together and "one run at a time" in why


def test_loaders_are_their_data_sets():
    assert trained(recipe(streamed("loader"))) == trained(recipe())


def test_probes_look_at_the_first_samples():
    probes = [{"name": name, "every": 4, "unit": "steps"} for name in ("NoiseScale", "Curvature")]
    curves = h.train(recipe(), probes=probes).curves
    assert curves.filter(like="curvature/").notna().any().any()


def said_of(data, **fields):
    with pytest.raises(HarnessError) as error:
        check_study(h.Study(name="no", question="?", recipe=recipe(data, **fields)))
    return str(error.value)


@pytest.mark.parametrize(
    ("data", "fields", "said"),
    [
        (streamed(), {"epochs": 2, "steps": None}, "recipe.epochs: expected a length in steps or"),
        (streamed(), {"batch_size": "full"}, "recipe.batch_size: expected fewer than all"),
        (streamed(), {"average": h.SWA().dump()}, "recipe.average: expected lengths in steps"),
        (
            streamed(),
            {"schedule": h.WarmUp(length="2 epochs").dump()},
            "recipe.schedule: expected lengths in steps",
        ),
        (
            streamed(),
            {"average": h.EMA().dump(), "model": h.MLP(widths=(5,), norm="batch").dump()},
            "whose statistics are gathered over the whole training part",
        ),
        (streamed("alone"), {}, "expected validation samples beside training samples that come"),
        (streamed("held_out_too"), {}, "got a Lines as valid part"),
        (streamed("generator"), {}, "or from a function that returns an iterator"),
        (streamed("unsharded", shards=2), {}, "expected a function that takes shard and shards"),
        (streamed("nothing"), {}, "expected samples, got none in pass 0"),
        (streamed("failing"), {}, r"reading samples failed: KeyError: 'line 2' \(test_endless.py"),
        (streamed() | {"train_size": 5}, {}, "data.train_size: expected it to be left out"),
    ],
)
def test_what_needs_an_end_is_refused_by_the_plan(data, fields, said):
    assert re.search(said, said_of(data, **fields))


class Unshared(Lines):
    """Gives every shard all of it."""

    def __iter__(self):
        yield from map(sample, range(10))


unshared = partial(with_parts, Unshared())


def test_shards_that_are_all_the_same_are_refused():
    assert "expected other samples in each of its 2 shards" in said_of(
        streamed("unshared", shards=2)
    )
