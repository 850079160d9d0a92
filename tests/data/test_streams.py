"""Data that are read when they are trained on, against the same samples in memory."""

import random
from functools import partial

import numpy as np
import pytest
import torch
from loky import ProcessPoolExecutor

import harness as h
from harness.core.errors import HarnessError
from harness.core.streams import derive
from harness.data.base import Data, fingerprint, load_data
from harness.data.external import ExternalData
from harness.data.streams import Wanted
from harness.engine import stream_batches
from harness.engine.batching import check_batching
from harness.engine.program import program_of
from harness.engine.trial import try_program
from harness.execution.jobs import Job, cohort_limit, perform
from harness.protocol.runs import key_of
from harness.spec.arms import Run
from harness.spec.component import parse_part
from harness.spec.resolved import resolve
from tests.data import given_streams
from tests.data.given_streams import jitter, recipe, streamed
from tests.engine.test_checkpoint import in_pieces, same


def trained(own, seed=0):
    done = perform(Job((0,), (Run.of(own, seed),), test=True))
    assert not done.error, done.error
    outcome = done.outcomes[0]
    return [p.metrics for p in outcome.points], {
        k: v for k, v in outcome.summary.items() if k != "cost/seconds"
    }


def loaded(**fields):
    return load_data(Data.parse(streamed(**fields)))


def test_numbers_are_those_of_the_same_samples_in_memory():
    in_memory = trained(recipe({"name": "tests.data.given_streams.as_arrays"}))
    assert trained(recipe(streamed(transform=None))) == in_memory


def test_workers_change_no_number_and_no_key():
    one, two = (recipe(streamed(workers=workers)) for workers in (0, 2))
    assert trained(one) == trained(two)
    assert key_of(Run.of(one, 0)) == key_of(Run.of(two, 0))
    other = recipe(streamed(version="2"))
    assert key_of(Run.of(one, 0)) != key_of(Run.of(other, 0))
    assert trained(one) != trained(recipe(streamed(transform=None))), "the transform acts"


def test_a_training_sample_is_drawn_by_run_epoch_and_sample():
    """The first batch of each epoch, against the data set read by hand under the same seeds."""
    stream = loaded().streams.train
    dataset = given_streams.Made(60)
    for seed, epoch, row in ((0, 0, 5), (0, 1, 5), (1, 0, 5), (0, 0, 6)):
        named = derive(seed, "sample", epoch, row)
        random.seed(named)
        np.random.seed(named % 2**32)
        torch.manual_seed(named)
        expected = jitter(dataset[row][0])
        wanted = Wanted([row], seed, epoch, True)
        (read,) = stream.batches([wanted])
        assert torch.equal(read.x[0], expected)
        assert read.y.tolist() == [[1.0, 0.0] if dataset[row][1] == 0 else [0.0, 1.0]]


def test_reading_leaves_the_global_generators_alone():
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    trained(recipe())
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    assert before == after


def test_validation_is_split_off_and_each_split_is_another():
    def rows(**options):
        data = Data.parse(streamed("pair") | options)
        return [stream.rows.tolist() for stream in load_data(data).streams]

    train, valid, test = rows()
    assert (len(train), len(valid), len(test)) == (80, 20, 40)
    assert sorted(train + valid) == list(range(100))
    assert rows(split=1)[1] != valid and rows(split=1)[2] == test
    assert set(rows(train_size=30)[0]) < set(train)


def test_loaders_are_their_data_sets():
    """Batch size and order are the recipe's."""
    assert trained(recipe(streamed("loaders"))) == trained(recipe(streamed("pair")))


def test_arrays_can_be_read_with_a_transform():
    x, y = np.random.default_rng(0).normal(size=(80, 5)), np.arange(80) % 3
    own = ExternalData((x, y), stream={"classes": 3, "transform": lambda x: -x})
    stream = load_data(own).streams.train
    (got,) = stream.batches([Wanted([0, 1], 0, 0, True)])
    assert np.array_equal(got.x.numpy(), -x[stream.rows[:2]])


def test_targets_are_numbers_or_classes():
    numbers = Data.parse(streamed("nameless", None) | {"task": "regression"})
    assert load_data(numbers).task == "regression" and load_data(numbers).train.y.shape == (16, 1)
    classes = loaded(function="nameless", transform=None, classes=3)
    assert (classes.task, classes.outputs, classes.count("train")) == ("classification", 3, 19)


@pytest.mark.usefixtures("without_kernels")
def test_tokens_are_those_in_memory():
    fields = {"model": h.GPT(width=8, heads=2), "epochs": 2}
    in_memory = trained(recipe({"name": "tests.data.given_streams.words_as_arrays"}, **fields))
    assert trained(recipe(streamed("words", None, classes=7), **fields)) == in_memory


def test_such_runs_train_alone_and_the_plan_says_shapes():
    own = resolve(recipe())
    assert check_batching(own) == (
        False,
        "samples of tests.data.given_streams.parts are read for one run at a time",
    )
    assert cohort_limit(own) == 1
    (note,) = loaded(workers=2).notes
    assert note == (
        "data tests.data.given_streams.parts: 60 training, 40 validation, 40 test samples of "
        "(1, 4, 4) float32 and (2,) float64, read by 2 workers as they are trained on"
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_a_sample_that_can_t_be_read_ends_the_run_with_its_reason(workers):
    done = perform(
        Job((0,), (Run.of(recipe(streamed("failing", None, workers=workers)), 0),), True)
    )
    assert (
        "reading sample" in done.error
        and "KeyError: 'no picture 37' (given_streams.py" in done.error
    )


def test_a_worker_that_dies_ends_the_run_with_its_reason():
    done = perform(Job((0,), (Run.of(recipe(streamed("dying", None, workers=1)), 0),), True))
    assert "a worker that reads samples ended" in done.error and "stream.workers: 0" in done.error


@pytest.mark.parametrize(
    "data, said",
    [
        (streamed("nameless", None), "expected the number of classes.*stream.classes"),
        (streamed("nameless", None, classes=2), "expected classes 0 … 1, got 0 … 2"),
        (streamed("Rows", None, classes=3), "expected validation samples beside training samples"),
        (streamed("named"), "making a batch of .* expected x as numbers.*, got a dict"),
        (
            streamed("named", None) | {"inputs": False},
            "expected y as numbers.*, got a tuple of str",
        ),
        (streamed("weighted"), "got a WeightedRandomSampler; weigh rare classes by the loss"),
        (streamed("fresh"), "expected the same samples when they are read again, got others"),
        (streamed("parts", "cropped"), "stream.transform to keep the shape and type"),
        (streamed() | {"standardize": True}, "data.standardize: expected it to be left out"),
    ],
)
def test_refused_with_the_fix(data, said):
    with pytest.raises(HarnessError, match=said):
        load_data(Data.parse(data))


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"batch_size": "full"}, "recipe.batch_size: expected fewer than all samples"),
        (
            {"loss": {"name": "CrossEntropy", "weight": "balanced"}},
            "recipe.loss: expected weights as numbers",
        ),
    ],
)
def test_what_needs_all_samples_at_once_is_refused(fields, said):
    with pytest.raises(HarnessError, match=said):
        program_of(resolve(recipe(**fields)))


def test_functions_may_stand_in_the_place_of_names():
    given = partial(given_streams.parts, count=50, stream={"transform": jitter})
    named = streamed() | {"count": 50}
    assert parse_part("data", given) == parse_part("data", named)
    with pytest.raises(ValueError, match="expected a function of an input, got 3"):
        parse_part("data", partial(given_streams.parts, stream={"transform": 3}))


def test_a_transform_is_part_of_the_code_and_a_stored_spec_is_read_again():
    own = parse_part("data", streamed())
    assert "tests.data.given_streams.jitter" in own.objects()
    assert parse_part("data", own.dump()) == own
    assert fingerprint(own) != fingerprint(parse_part("data", streamed("pair")))


def test_probes_measure_what_they_do_in_memory():
    """Those that look at outputs on whole parts, at samples of their own, and at the loss of all."""
    names = ("Calibration", "Confusion", "GeneralizationGap", "NoiseScale")
    probes = tuple(parse_part("probe", {"name": n, "every": 4, "unit": "steps"}) for n in names)

    def measured(data):
        run = Run.of(recipe(data), 0, probes)
        (outcome,) = perform(Job((0,), (run,), test=False)).outcomes.values()
        return [point.metrics for point in outcome.points]

    in_memory = measured({"name": "tests.data.given_streams.as_arrays"})
    assert measured(streamed(transform=None)) == in_memory
    assert any("calibration" in name for point in in_memory for name in point)


def test_a_loader_without_stream_is_told_of_it():
    with pytest.raises(HarnessError, match="got a loader; with stream: {} beside the name"):
        load_data(Data.parse("tests.data.given_streams.loaders"))


def test_workers_end_with_a_run_that_ends_early():
    own = recipe(
        streamed(workers=1), epochs=4, regularizers=[{"name": "EarlyStopping", "patience": 1}]
    )
    own = own.with_values({"optimizer": {"name": "SGD", "lr": 3.0}})
    (outcome,) = perform(Job((0,), (Run.of(own, 0),), test=False)).outcomes.values()
    assert outcome.summary["cost/steps"] < 16
    assert not stream_batches._READING


@pytest.mark.slow
def test_loader_workers_start_in_the_harness_s_own_workers():
    """loky, which those are started by, has a way of starting processes that torch's loaders do not know."""
    job = Job((0,), (Run.of(recipe(streamed(workers=1), epochs=1), 0),), test=False)
    with ProcessPoolExecutor(1) as executor:
        done = executor.submit(perform, job).result()
    assert not done.error and done.outcomes[0].status == "finished"


class Forgetful(dict):
    """Keeps nothing: every batch is read by a reader that starts there."""

    def __setitem__(self, key, value):
        pass


def test_a_run_goes_on_in_the_middle_of_an_epoch(monkeypatch):
    own = recipe(eval_every=3)
    runs = [Run.of(own, 0)]
    done = perform(Job((0,), tuple(runs), test=True))
    monkeypatch.setattr(stream_batches, "_READING", Forgetful())
    resumed, updates = in_pieces(runs, at=5)
    assert updates < 12 - 5, "it went on, and did not begin again"
    same(done.outcomes[0], resumed[0])


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_from_the_middle_are_those_of_a_run_from_its_start(workers):
    program = program_of(resolve(recipe(streamed(workers=workers), batch_size=32)))
    stream = program.train.stream

    def batches(first):
        stream_batches.stop_reading()
        return [stream_batches.read_batch(program, stream, 3, step) for step in range(first, 6)]

    for whole, part in zip(batches(0)[3:], batches(3), strict=True):
        assert torch.equal(whole.x_KB, part.x_KB) and torch.equal(whole.y_KBD, part.y_KBD)


def test_the_plan_reads_two_batches():
    with pytest.raises(HarnessError, match="no picture 37"):
        try_program(program_of(resolve(recipe(streamed("failing", None), batch_size=40))))
