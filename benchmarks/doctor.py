"""What the doctor costs: CPU time of a script with and without it, interleaved, medians of ratios.

    python -m benchmarks.doctor [--repeats 9]

Budget: at most 10 % on a digits MLP (a step of half a millisecond), 3 % where a step takes more than 5 ms.
The second table says which sensors the time goes to, by switching their patches off one after another.
"""

import argparse
import contextlib
import io
import statistics
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from treino.diagnosis.exam import Exam


def digits(epochs: int = 12) -> None:
    """64-64-10, batch 64, Adam, a DataLoader, evaluation once per epoch: small steps."""
    from sklearn.datasets import load_digits

    torch.manual_seed(0)
    pixels, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(pixels / 16, dtype=torch.float32), torch.tensor(labels)
    loader = DataLoader(TensorDataset(x[:1500], y[:1500]), batch_size=64, shuffle=True)
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(epochs):
        net.train()
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(xb), yb)
            loss.backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            print((net(x[1500:]).argmax(1) == y[1500:]).float().mean().item())


def large(steps: int = 40) -> None:
    """784-1024-1024-10, batch 256: a step of more than 5 ms."""
    torch.manual_seed(0)
    x, y = torch.randn(2560, 784), torch.randint(0, 10, (2560,))
    net = nn.Sequential(
        nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10)
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for step in range(steps):
        rows = torch.arange(256) + 256 * (step % 10)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
    print(loss.item())


def seconds(script: object, watched: bool, without: str = "") -> float:
    """CPU seconds of one run."""
    out = io.StringIO()
    exam = Exam() if watched else None
    if exam is not None:
        exam.start(without=without)
    started = time.process_time()
    with contextlib.redirect_stdout(out):
        script()  # type: ignore[operator]
    spent = time.process_time() - started
    if exam is not None:
        exam.stop()
    return spent


def ratio(script: object, repeats: int, without: str = "") -> float:
    """The median of watched / plain over interleaved pairs."""
    pairs = []
    for i in range(repeats):
        if i % 2:
            plain, watched = seconds(script, False), seconds(script, True, without)
        else:
            watched, plain = seconds(script, True, without), seconds(script, False)
        pairs.append(watched / plain)
    return statistics.median(pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    for script in (digits, large):
        seconds(script, False)  # warm up
        print(f"{script.__name__:8} {100 * (ratio(script, repeats) - 1):+.1f} %")
    whole = ratio(digits, repeats)
    for name in ("backward", "nets", "losses", "ownership", "rows", "settings", "steps"):
        print(f"  digits without {name:10} {100 * (ratio(digits, repeats, name) - whole):+.1f} points")


if __name__ == "__main__":
    main()
