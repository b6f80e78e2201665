"""Where weights of one sign are drawn."""

from pathlib import Path

import pytest

from treino.diagnosis.reading.signs import one_sided
from treino.diagnosis.reading.source import refresh


def _line(tmp_path: Path, source: str) -> int | None:
    path = tmp_path / "script.py"
    path.write_text(f"def make(k, n, a, b):\n    x = torch.rand(3) - 1\n    {source}\n")
    refresh()
    found = one_sided(str(path))
    return found.line if found is not None else None


@pytest.mark.parametrize(
    "source",
    [
        "weight = k * (torch.rand(n, 4) - 1)",
        "w = -torch.rand(n, 4) / math.sqrt(n)",
        "self.weight = nn.Parameter(-torch.abs(torch.randn(n, 4)))",
        "w = torch.from_numpy(rng.uniform(-0.1, 0, size=(n, 4))).float()",
        "p.copy_(torch.rand_like(p).neg() * n ** -0.5)",
        "params['w1'] = torch.tensor(rng.random((3, 4)) - 1, requires_grad=True)",
        "first = (torch.randn(3, 4).abs() * -0.1).requires_grad_()",
    ],
)
def test_weights_below_zero_are_found(tmp_path: Path, source: str) -> None:
    assert _line(tmp_path, source) == 3


@pytest.mark.parametrize(
    "source",
    [
        "w = 2 * k * torch.rand(n, 4) - k",
        "w = (torch.rand(3, 4) - 0.5) / 8",
        "w = rng.uniform(-k, k, (3, 4))",
        "w = rng.uniform(a, b, (3, 4))",
        "w = a + (b - a) * torch.rand(3, 4)",
        "b1 = torch.rand(4)",
        "t = torch.rand(4, 1, requires_grad=True) * 4",
        "self.w = nn.Parameter(torch.randn(3, 4) * k)",
    ],
)
def test_weights_of_both_signs_are_not(tmp_path: Path, source: str) -> None:
    assert _line(tmp_path, source) is None
