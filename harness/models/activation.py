"""Nonlinearities: value, first and second derivative, bounds.

The hand-written backward passes (:mod:`harness.models.mlp`, :mod:`harness.models.cnn`) and Hessian
products (:mod:`harness.models.mlp_hessian`) use the derivatives; elsewhere autograd differentiates
``forward``. In every docstring a is a layer's output before the nonlinearity and z = φ(a).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from harness.core.lazy import Lazy

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional
else:
    torch, functional = Lazy("torch"), Lazy("torch.nn.functional")


class Activation(ABC):
    """A function φ applied to every number of a layer's output: z = φ(a)."""

    bounds: ClassVar[tuple[float, float] | None] = None
    """Infimum and supremum of φ where both are finite: such a unit saturates. None otherwise."""

    @abstractmethod
    def forward(self, a: Tensor) -> Tensor:
        """Return φ(a), of the same shape.

        Args:
            a: the numbers before the nonlinearity; the result may take their memory, so that the
                caller must not use ``a`` again.
        """


class OutputActivation(Activation):
    """A nonlinearity whose derivatives follow from its output alone.

    A backward pass then keeps only z, which is the next layer's input and kept anyway. GELU and
    SiLU are not monotone: the same z comes from two values of a, so autograd differentiates them.
    """

    @abstractmethod
    def derivative(self, d: Tensor, z: Tensor) -> Tensor:
        """Return d ⊙ φ′(a): the gradient by the input from that by the output.

        Args:
            d: gradient ∂L/∂z of the loss by the output; the result may take its memory, so that
                a caller who needs ``d`` again passes a copy.
            z: the output φ(a), of the same shape; left as it is.

        Returns:
            ∂L/∂a, of the same shape.
        """

    @abstractmethod
    def second_derivative(self, d: Tensor, z: Tensor, r_z: Tensor) -> Tensor | None:
        """Return d ⊙ φ″(a) ⊙ r_a: what d ⊙ φ′(a) changes by as a moves along r_a; None for 0.

        Args:
            d: gradient ∂L/∂z of the loss by the output; left as it is.
            z: the output φ(a), of the same shape.
            r_z: φ′(a) ⊙ r_a, what z changes by. It is given in the place of r_a because the
                forward pass of Hessian products has it already, and every φ″ here has a factor φ′.
        """


class ReLU(OutputActivation):
    """φ(a) = max(a, 0); at the kink φ′(0) = 0, as in torch."""

    def forward(self, a: Tensor) -> Tensor:
        return a.relu_()  # in place: a layer's product is its own, and a copy costs a pass more

    def derivative(self, d: Tensor, z: Tensor) -> Tensor:
        # d where z > 0, else 0: the kernel of autograd's own backward of ReLU, called directly to
        # write into d in one pass over memory
        slope: Tensor = torch.ops.aten.threshold_backward.grad_input(d, z, 0, grad_input=d)
        return slope

    def second_derivative(self, d: Tensor, z: Tensor, r_z: Tensor) -> None:
        return None


class Tanh(OutputActivation):
    """φ(a) = tanh a, φ′ = 1 − z², φ″ = −2zφ′."""

    bounds = (-1.0, 1.0)

    def forward(self, a: Tensor) -> Tensor:
        return torch.tanh(a)

    def derivative(self, d: Tensor, z: Tensor) -> Tensor:
        return d * (1 - z * z)

    def second_derivative(self, d: Tensor, z: Tensor, r_z: Tensor) -> Tensor:
        # φ″ r_a = −2zφ′ r_a = −2z r_z
        return d * z * r_z * -2


class Sigmoid(OutputActivation):
    """φ(a) = 1/(1 + e⁻ᵃ), φ′ = z(1 − z), φ″ = (1 − 2z)φ′."""

    bounds = (0.0, 1.0)

    def forward(self, a: Tensor) -> Tensor:
        return torch.sigmoid(a)

    def derivative(self, d: Tensor, z: Tensor) -> Tensor:
        return d * (z * (1 - z))

    def second_derivative(self, d: Tensor, z: Tensor, r_z: Tensor) -> Tensor:
        # φ″ r_a = (1 − 2z)φ′ r_a = (1 − 2z) r_z
        return d * (1 - 2 * z) * r_z


class Identity(OutputActivation):
    """φ(a) = a."""

    def forward(self, a: Tensor) -> Tensor:
        return a

    def derivative(self, d: Tensor, z: Tensor) -> Tensor:
        return d

    def second_derivative(self, d: Tensor, z: Tensor, r_z: Tensor) -> None:
        return None


class GELU(Activation):
    """φ(a) = aΦ(a), Φ the distribution function of N(0, 1) (Hendrycks & Gimpel 2016)."""

    def forward(self, a: Tensor) -> Tensor:
        return functional.gelu(a)


class SiLU(Activation):
    """φ(a) = a/(1 + e⁻ᵃ) (Elfwing et al. 2018)."""

    def forward(self, a: Tensor) -> Tensor:
        return functional.silu(a)


ACTIVATIONS: dict[str, Activation] = {
    "relu": ReLU(),
    "tanh": Tanh(),
    "sigmoid": Sigmoid(),
    "gelu": GELU(),
    "silu": SiLU(),
    "identity": Identity(),
}
"""Every nonlinearity by the name that specs use; they have no state, so one object serves all."""
