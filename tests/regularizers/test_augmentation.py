"""Crops, mirror images and cutouts, against torch's padding and the papers' own loops."""

import numpy as np
import pytest
import torch
from torch.nn import functional

import harness as h
from harness.core.errors import HarnessError
from harness.core.noise import Noise
from harness.core.streams import numpy_stream
from harness.data.base import load_data
from harness.execution.jobs import Job, perform
from harness.regularizers.base import RegularizerContext
from harness.spec.arms import Run
from tests.regularizers.test_contract import LAYOUT

MEMBERS, SAMPLES, CHANNELS, HEIGHT, WIDTH = 2, 50, 3, 6, 9
PICTURES = torch.rand(MEMBERS, SAMPLES, CHANNELS, HEIGHT, WIDTH, dtype=torch.float64) + 1
TARGETS = torch.zeros(MEMBERS, SAMPLES, 2, dtype=torch.float64)


def changed(part, x=PICTURES, seeds=(3, 4), step=7, draws=lambda noise: None, **fields):
    """Return the pictures that one update sees; ``fields`` are the members' numbers."""
    noise = Noise(seeds, step, torch.device("cpu"), x.dtype)
    draws(noise)
    numbers = {
        name: torch.tensor(fields.get(name, [value] * len(seeds)), dtype=x.dtype)
        for name, value in part.numbers().items()
    }
    lr_K = torch.ones(len(seeds), dtype=x.dtype)
    ctx = RegularizerContext(numbers, lr_K, LAYOUT, slice(0, LAYOUT.width), noise)
    before = x.clone()
    out, targets = part.batch(x, TARGETS, ctx)
    assert torch.equal(x, before) and targets is TARGETS
    return out


def test_a_crop_is_a_window_of_the_padded_picture():
    seen = set()
    paddings = (1, 4)
    out = changed(h.RandomCrop(), padding=[float(p) for p in paddings])
    for k, padding in enumerate(paddings):
        padded = functional.pad(PICTURES[k], (padding,) * 4)
        down, right = np.floor(
            numpy_stream(3 + k, "crop", 7).random((2, SAMPLES)) * (2 * padding + 1)
        ).astype(int)
        for i, (top, left) in enumerate(zip(down, right, strict=True)):
            window = padded[i, :, top : top + HEIGHT, left : left + WIDTH]
            assert torch.equal(out[k, i], window)
            seen.add((padding, int(top), int(left)))
    assert {place for place in seen if place[0] == 1} == {
        (1, i, j) for i in range(3) for j in range(3)
    }


def test_a_share_of_the_pictures_is_mirrored():
    out = changed(h.HorizontalFlip(), probability=[0.0, 1.0])
    assert torch.equal(out[0], PICTURES[0])
    assert torch.equal(out[1], PICTURES[1].flip(-1))
    half = changed(h.HorizontalFlip(probability=0.5))
    more = changed(h.HorizontalFlip(probability=0.7))
    mirrored, still = ((x != PICTURES).flatten(2).any(2) for x in (half, more))
    assert 25 < mirrored.sum() < 75 and bool((still | ~mirrored).all()), "the same, and some more"


@pytest.mark.parametrize("size", [1, 4, 5])
def test_a_cutout_is_the_square_of_the_authors_code(size):
    out = changed(h.Cutout(size=size))
    for k in range(MEMBERS):
        drawn = numpy_stream(3 + k, "cutout", 7).random((2, SAMPLES))
        for i, (y, x) in enumerate((drawn.T * (HEIGHT, WIDTH)).astype(int)):
            mask = np.ones((HEIGHT, WIDTH))
            top, left = y - size // 2, x - size // 2
            rows = slice(np.clip(top, 0, HEIGHT), np.clip(top + size, 0, HEIGHT))
            mask[rows, np.clip(left, 0, WIDTH) : np.clip(left + size, 0, WIDTH)] = 0
            assert torch.equal(out[k, i], PICTURES[k, i] * torch.from_numpy(mask))


@pytest.mark.parametrize("part", [h.RandomCrop(padding=2), h.HorizontalFlip(), h.Cutout(size=3)])
def test_pictures_change_alike_whoever_draws_and_shares_the_cohort(part):
    out = changed(part)
    alone = changed(part, PICTURES[1:], seeds=(4,))
    assert torch.equal(out[1:], alone)
    others = changed(part, draws=lambda noise: [noise.normal(5), noise.uniform(3)])
    assert torch.equal(out, others), "noise and dropout of another arm do not move its streams"
    assert not torch.equal(out, changed(part, step=8))
    grey = PICTURES[:, :, 0]
    assert torch.equal(changed(part, grey), out[:, :, 0]), "pictures (H, W)"
    shared = changed(part, PICTURES[:1], seeds=(3, 4))
    apart = changed(part, PICTURES[:1].expand(2, -1, -1, -1, -1), seeds=(3, 4))
    assert torch.equal(shared, apart), "inputs that members share"


def test_only_training_samples_are_changed():
    """A tiny rate leaves the weights, so that what is evaluated would show a change."""
    recipe = h.Recipe(
        data=h.Digits(train_size=60, image=True),
        model=h.Linear(),
        optimizer=h.SGD(lr=1e-30),
        batch_size=20,
        epochs=2,
    )
    parts = [h.RandomCrop(padding=3), h.HorizontalFlip(), h.Cutout(size=4)]
    before = [part.x.copy() for part in load_data(recipe.data)[:3]]
    plain, augmented = (
        perform(Job((0,), (Run.of(recipe.with_values({"regularizers": own}), 0),), test=True))
        for own in ([], parts)
    )
    for name in ("train/loss", "valid/loss", "test/loss"):
        before_change, after = (done.outcomes[0].summary[name] for done in (plain, augmented))
        assert before_change == after
    for part, x in zip(load_data(recipe.data)[:3], before, strict=True):
        assert np.array_equal(part.x, x)


def test_a_padding_is_a_whole_number_and_can_be_searched():
    assert h.RandomCrop(padding=h.IntUniform(1, 3)).padding == h.IntUniform(1, 3)
    with pytest.raises((HarnessError, ValueError), match="padding"):
        h.RandomCrop(padding=1.5)
