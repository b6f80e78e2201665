"""Populations in JAX, which treino is compared with: ``vmap`` over members of ``lax.scan`` over steps."""

import importlib.util
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor


def there() -> bool:
    """Whether JAX is installed here."""
    return importlib.util.find_spec("jax") is not None


def version() -> str:
    import jax

    return str(jax.__version__)


def population(
    x: Tensor, y: Tensor, sizes: Sequence[int], batch_size: int | None, lr: float, members: int
) -> Callable[[], int]:
    """Adam on cross-entropy; each call takes many steps of all members and says how many.

    The first one compiles.
    """
    import jax
    import jax.numpy as jnp

    x_ND, y_N = jnp.asarray(x.numpy()), jnp.asarray(y.numpy())
    steps = max(5, 20_000_000 // (members * sum(a * b for a, b in itertools.pairwise(sizes))))
    rows = len(x_ND)
    index_SB = torch.stack([torch.randperm(rows)[: batch_size or rows] for _step in range(steps)]).numpy()

    def loss(params: Any, x: Any, y: Any) -> Any:
        for i, (weight, bias) in enumerate(params):
            x = x @ weight + bias
            x = jnp.maximum(x, 0) if i < len(params) - 1 else x
        return -jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1).mean()

    def adam(carry: Any, index_B: Any) -> Any:
        params, m, v, t = carry
        x, y = (x_ND, y_N) if batch_size is None else (x_ND[index_B], y_N[index_B])
        value, grads = jax.value_and_grad(loss)(params, x, y)
        t = t + 1
        m = jax.tree.map(lambda a, g: 0.9 * a + 0.1 * g, m, grads)
        v = jax.tree.map(lambda a, g: 0.999 * a + 0.001 * g * g, v, grads)
        params = jax.tree.map(
            lambda p, a, b: p - lr * (a / (1 - 0.9**t)) / (jnp.sqrt(b / (1 - 0.999**t)) + 1e-8), params, m, v
        )
        return (params, m, v, t), value

    @jax.jit
    def some(carry: Any, index: Any) -> Any:
        return jax.vmap(lambda c: jax.lax.scan(adam, c, index))(carry)

    keys = jax.random.split(jax.random.key(0), members)

    def start(key: Any) -> Any:
        params = []
        for a, b in itertools.pairwise(sizes):
            key, one, two = jax.random.split(key, 3)
            bound = a**-0.5
            params.append(
                (
                    jax.random.uniform(one, (a, b), minval=-bound, maxval=bound),
                    jax.random.uniform(two, (b,), minval=-bound, maxval=bound),
                )
            )
        return params

    params = jax.vmap(start)(keys)
    zeros = jax.tree.map(jnp.zeros_like, params)
    state = [(params, zeros, zeros, jnp.zeros(members))]
    index = jnp.asarray(index_SB)

    def go() -> int:
        state[0], _losses = jax.block_until_ready(some(state[0], index))
        return steps * members

    return go
