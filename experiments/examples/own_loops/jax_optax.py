"""JAX with optax (pip install jax optax)."""

import jax
import jax.numpy as jnp
import optax


def loss_of(params, x, y):
    """Return the mean squared error of a layer of tanh units."""
    return jnp.mean((jnp.tanh(x @ params["a"]) @ params["b"] - y) ** 2)


def train(run):
    """Fit sin by run.steps full batches."""
    x = jnp.linspace(-3, 3, 200)[:, None]
    y = jnp.sin(2 * x)
    order = jax.random.permutation(jax.random.key(run.split), 200)
    fit, valid = order[:150], order[150:]
    one, two = jax.random.split(jax.random.key(run.seed))
    params = {"a": jax.random.normal(one, (1, 32)), "b": jax.random.normal(two, (32, 1)) / 6}
    optimizer = getattr(optax, run.config["optimizer"])(run.config["lr"])
    state = optimizer.init(params)

    @jax.jit
    def update(params, state):
        slope = jax.grad(loss_of)(params, x[fit], y[fit])
        moves, state = optimizer.update(slope, state, params)
        return optax.apply_updates(params, moves), state

    for step in range(1, run.steps + 1):
        params, state = update(params, state)
        if step % 20 == 0:
            run.log(step, valid_loss=loss_of(params, x[valid], y[valid]))
