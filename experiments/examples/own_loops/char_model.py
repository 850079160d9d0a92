"""A small language model over characters, with a command line: it knows nothing of the harness."""

import argparse
import inspect

import torch
from torch import nn
from torch.nn import functional

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--width", type=int, default=32)
parser.add_argument("--block", type=int, default=8)
parser.add_argument("--steps", type=int, default=200)
parser.add_argument("--seed", type=int, default=1337)
args = parser.parse_args()

torch.manual_seed(args.seed)
text = inspect.getsource(argparse)
alphabet = sorted(set(text))
tokens = torch.tensor([alphabet.index(character) for character in text])
parts = {"train": tokens[:-9000], "val": tokens[-9000:]}
model = nn.Sequential(
    nn.Embedding(len(alphabet), args.width),
    nn.Flatten(),
    nn.Linear(args.block * args.width, 4 * args.width),
    nn.GELU(),
    nn.Linear(4 * args.width, len(alphabet)),
)
optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)


def loss_of(part, count):
    """Return the loss of so many places of a part."""
    at = torch.randint(len(parts[part]) - args.block, (count,))
    x = torch.stack([parts[part][i : i + args.block] for i in at])
    return functional.cross_entropy(model(x), parts[part][at + args.block])


for step in range(1, args.steps + 1):
    optimizer.zero_grad()
    loss = loss_of("train", 32)
    loss.backward()
    optimizer.step()
    if step % (args.steps // 4) == 0:
        with torch.no_grad():
            val = loss_of("val", 500)
        print(f"step {step}: train loss {loss:.4f}, val loss {val:.4f}", flush=True)
