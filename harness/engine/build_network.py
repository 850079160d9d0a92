"""A recipe's network, built for the shapes of its data."""

from __future__ import annotations

from harness.core.errors import HarnessError
from harness.core.sample_fields import sample_fields
from harness.data.base import Data
from harness.data.dataset import Dataset
from harness.models.base import DataSizes, Model, Network
from harness.spec.component import as_a
from harness.spec.resolved import ResolvedRecipe


def takes_tokens(network: Network) -> bool:
    """Return whether a network is given whole numbers as they are, to look them up."""
    return getattr(network, "takes_tokens", False)


def build_network(recipe: ResolvedRecipe, data: Dataset) -> Network:
    """Build the network for the data's shapes.

    Args:
        recipe: names the model; without one it is the data's default.
        data: the data set, for the shapes of inputs and outputs.

    Raises:
        HarnessError: the model does not fit the data.
    """
    source = as_a(Data, recipe.data)
    model = recipe.model or source.default_model()
    if not isinstance(model, Model):
        raise HarnessError(f"recipe.model: expected a model for data {source.name}, got none")
    try:
        return model.network_for(_sizes_for(recipe, data))
    # what a user's own module or a layer of torch's raises for sizes that do not go together; any
    # other exception is a bug and keeps its traceback
    except (TypeError, ValueError, RuntimeError) as error:
        raise HarnessError(
            f"recipe.model: {model.name} can't be built for inputs {data.input_shape}: {error}"
        ) from error


def _sizes_for(recipe: ResolvedRecipe, data: Dataset) -> DataSizes:
    """Return what the recipe's network is fitted to."""
    base = recipe.base_width if recipe.parametrization == "mup" else None
    return sizes_of(data, recipe.dtype)._replace(base_width=base)


def inputs_are_numbers(network: Network, data: Dataset) -> bool:
    """Return whether a network is given fractions, and not tokens or several arrays."""
    tokens = takes_tokens(network) and data.vocabulary is not None
    return not tokens and data.train.x.dtype.fields is None


def sizes_of(data: Dataset, dtype: str) -> DataSizes:
    """Return what a model is built for.

    Args:
        data: the data set.
        dtype: name of the type of weights and inputs.
    """
    fields = sample_fields(data.train.x.dtype, dtype)
    return DataSizes(data.input_shape, data.outputs, data.vocabulary, fields)
