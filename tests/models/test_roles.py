"""What each parameter is in its network, which optimizers and regularizers go by."""

import pytest
from torch import nn

import harness as h
from harness.core.errors import HarnessError
from harness.models.module_roles import roles_of

NETWORKS = {
    "linear": (h.Linear(), (4,), {"out.weight": "output", "out.bias": "bias"}),
    "MLP": (
        h.MLP(widths=(8, 8), norm="batch"),
        (4,),
        {
            "hidden.0.weight": "input",
            "hidden.1.weight": "hidden",
            "norm.1.weight": "norm",
            "norm.1.bias": "norm",
            "hidden.1.bias": "bias",
            "out.weight": "output",
        },
    ),
    "CNN": (
        h.CNN2D(channels=(3, 4)),
        (8, 8),
        {"conv.0.weight": "input", "conv.1.weight": "hidden", "out.weight": "output"},
    ),
    "transformer": (
        h.Transformer(patch=2, width=8, depth=1, heads=2),
        (8,),
        {
            "embed.weight": "input",
            "position": "embedding",
            "block.0.qkv.weight": "hidden",
            "block.0.norm1.weight": "norm",
            "norm.bias": "norm",
            "out.weight": "output",
        },
    ),
    "function": (h.Parameters(start=(1.0, 2.0)), (2,), {"theta": "output"}),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_models_say_what_their_parameters_are(name):
    model, shape, expected = NETWORKS[name]
    weights = model.network(shape, 3).weights()
    assert {parameter: weights[parameter].role for parameter in expected} == expected
    fused = {parameter for parameter, weight in weights.items() if weight.fused != 1}
    assert fused == ({"block.0.qkv.weight"} if name == "transformer" else set())


class Tokens(nn.Module):
    """An embedding, a place's vector, attention, recurrence and an output."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(5, 4)
        self.place = nn.Parameter(nn.init.zeros_(nn.Linear(4, 4).weight.detach()))
        self.gain = nn.Parameter(nn.Linear(4, 4).bias.detach())
        self.attention = nn.MultiheadAttention(4, 2)
        self.memory = nn.LSTM(4, 6)
        self.norm = nn.LayerNorm(6)
        self.out = nn.Linear(6, 2)


def test_roles_of_a_module_are_guessed_from_its_layers():
    roles = roles_of(Tokens())
    expected = {
        "embed.weight": ("embedding", 1),
        "place": ("embedding", 1),
        "gain": ("norm", 1),
        "attention.in_proj_weight": ("hidden", 3),
        "attention.in_proj_bias": ("bias", 1),
        "attention.out_proj.weight": ("hidden", 1),
        "memory.weight_ih_l0": ("hidden", 4),
        "memory.bias_hh_l0": ("bias", 1),
        "norm.weight": ("norm", 1),
        "norm.bias": ("norm", 1),
        "out.weight": ("output", 1),
    }
    assert {name: tuple(roles[name]) for name in expected} == expected


def test_a_module_may_say_its_roles_itself():
    module = Tokens()
    module.parameter_roles, module.fused_parameters = {"place": "hidden"}, {"place": 2}
    assert roles_of(module)["place"] == ("hidden", 2)
    module.parameter_roles = {"plaice": "hidden"}
    with pytest.raises(HarnessError, match="got some of plaice"):
        roles_of(module)
    module.parameter_roles = {"place": "matrix"}
    with pytest.raises(HarnessError, match="expected roles among .* got matrix"):
        roles_of(module)
