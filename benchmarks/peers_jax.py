"""Networks in JAX, which treino is compared with: populations as ``vmap`` over members of ``lax.scan`` over
steps, a convolutional network step by step.
"""

import importlib.util
import itertools
import math
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from benchmarks.peers import orders, steps_of_a_call
from treino.engine.nets import CNN


def there() -> bool:
    """Whether JAX is installed here."""
    return importlib.util.find_spec("jax") is not None


def use_one_thread() -> None:
    """Ask JAX for one thread, as long as it isn't loaded."""
    if "jax" not in sys.modules:
        one = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {one}".strip()


def version() -> str:
    import jax

    return str(jax.__version__)


def population(
    x: Tensor, y: Tensor, sizes: Sequence[int], batch_size: int | None, lr: float, members: int
) -> Callable[[], int]:
    """Adam on cross-entropy; each call takes ``peers.steps_of_a_call`` of all members and says how many.

    As JAX's documentation has it for the fastest loop: all steps of a call are one compiled ``lax.scan``, to
    which the state's arrays are donated. The first call compiles.
    """
    import jax
    import jax.numpy as jnp

    x_ND, y_N = jnp.asarray(x.numpy()), jnp.asarray(y.numpy())
    rows = len(x_ND)
    steps = steps_of_a_call(sizes, batch_size or rows, members)
    index_SB = torch.stack([torch.randperm(rows)[: batch_size or rows] for _step in range(steps)]).numpy()

    def output(params: Any, x: Any) -> Any:
        for i, (weight, bias) in enumerate(params):
            x = x @ weight + bias
            x = jnp.maximum(x, 0) if i < len(params) - 1 else x
        return x

    adam = _adam(output, lr)

    def step(carry: Any, index_B: Any) -> Any:
        return adam(carry, *((x_ND, y_N) if batch_size is None else (x_ND[index_B], y_N[index_B])))

    each = 0, 0, 0, None  # the members have one time
    steps_of_one = jax.vmap(
        lambda carry, index: jax.lax.scan(step, carry, index), in_axes=(each, None), out_axes=(each, 0)
    )
    some = jax.jit(steps_of_one, donate_argnums=0)

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
    state = [(*_unmoved(params), jnp.zeros(()))]
    index = jnp.asarray(index_SB)

    def go() -> int:
        state[0], _losses = jax.block_until_ready(some(state[0], index))
        return steps * members

    return go


def convolutional(
    x: Tensor, y_N: Tensor, net: CNN, classes: int, batch_size: int, lr: float
) -> Callable[[], int]:
    """One network with ReLU and without norms, blocks, dropout, by Adam on cross-entropy; each call takes a
    step. The first one compiles, for batches of ``batch_size``, which divides the rows.

    Each step is a call: inside ``lax.scan`` XLA's convolutions on the CPU take several times as long.
    """
    import jax
    import jax.numpy as jnp

    layers, head = net.convolutions(x.shape[1:]), net.head
    ends = [*net.hidden, classes]
    x_N, y = x.permute(0, 2, 3, 1).contiguous().numpy(), y_N.numpy()  # channels last, as XLA wants them

    def pooled(x: Any, how: str) -> Any:
        if how == "none":
            return x
        n, height, width, channels = x.shape
        x = x[:, : height // 2 * 2, : width // 2 * 2].reshape(n, height // 2, 2, width // 2, 2, channels)
        return x.max((2, 4)) if how == "max" else x.mean((2, 4))

    def output(params: Any, x: Any) -> Any:
        for c, (weight, bias) in zip(layers, params, strict=False):
            pads = [(c.padding, c.padding)] * 2
            x = jax.lax.conv_general_dilated(
                x, weight, (c.stride, c.stride), pads, dimension_numbers=("NHWC", "HWIO", "NHWC")
            )
            x = pooled(jax.nn.relu(x + bias), c.pool)
        x = x.mean((1, 2)) if head == "average" else x.reshape(len(x), -1)
        for i, (weight, bias) in enumerate(params[len(layers) :]):
            x = x @ weight + bias
            x = jax.nn.relu(x) if i < len(net.hidden) else x
        return x

    shapes = [(c.kernel, c.kernel, c.inputs, c.outputs) for c in layers]
    shapes += list(itertools.pairwise([net.features(x.shape[1:]), *ends]))
    keys = jax.random.split(jax.random.key(0), len(shapes))
    params = []
    for key, shape in zip(keys, shapes, strict=True):
        bound = math.prod(shape[:-1]) ** -0.5
        params.append((jax.random.uniform(key, shape, minval=-bound, maxval=bound), jnp.zeros(shape[-1])))
    step = jax.jit(_adam(output, lr), donate_argnums=0)
    state = [(*_unmoved(params), jnp.zeros(()))]
    stream = orders(len(x), batch_size)

    def some() -> int:
        index = next(stream).numpy()
        state[0], _loss = jax.block_until_ready(step(state[0], x_N[index], y[index]))
        return 1

    return some


def _unmoved(params: Any) -> tuple[Any, Any, Any]:
    """Parameters, and Adam's moments before the first step; each has memory of its own."""
    import jax
    import jax.numpy as jnp

    return params, *(jax.tree.map(jnp.zeros_like, params) for _moment in range(2))


def _adam(output: Callable[[Any, Any], Any], lr: float) -> Callable[[Any, Any, Any], Any]:
    """A step of Adam on cross-entropy of these outputs: (parameters, moments, time) and batch -> the same,
    loss.
    """
    import jax
    import jax.numpy as jnp

    def loss(params: Any, x: Any, y: Any) -> Any:
        return -jnp.take_along_axis(jax.nn.log_softmax(output(params, x)), y[:, None], 1).mean()

    def step(carry: Any, x: Any, y: Any) -> Any:
        params, m, v, t = carry
        value, grads = jax.value_and_grad(loss)(params, x, y)
        t = t + 1
        m = jax.tree.map(lambda a, g: 0.9 * a + 0.1 * g, m, grads)
        v = jax.tree.map(lambda a, g: 0.999 * a + 0.001 * g * g, v, grads)
        params = jax.tree.map(
            lambda p, a, b: p - lr * (a / (1 - 0.9**t)) / (jnp.sqrt(b / (1 - 0.999**t)) + 1e-8), params, m, v
        )
        return (params, m, v, t), value

    return step
