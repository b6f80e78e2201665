# expect: nothing
"""Poly-style regression example: summed squared error with a learning rate to match."""
import math

import torch


class Polynomial3(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.coef = torch.nn.Parameter(torch.zeros(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([torch.ones_like(x), x, x ** 2, x ** 3], dim=-1) @ self.coef

    def string(self) -> str:
        a, b, c, d = (round(v, 3) for v in self.coef.tolist())
        return f"y = {a} + {b} x + {c} x^2 + {d} x^3"


def main() -> None:
    torch.manual_seed(0)
    x = torch.rand(400) * 2 - 1
    y = torch.sin(math.pi * x) + 0.05 * torch.randn(400)
    xtr, ytr, xte, yte = x[:300], y[:300], x[300:], y[300:]
    model = Polynomial3()
    criterion = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.95)
    for t in range(600):
        loss = criterion(model(xtr), ytr)
        if t % 150 == 149:
            print(t + 1, round(loss.item() / len(xtr), 5))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        print(f"test mse {criterion(model(xte), yte).item() / len(xte):.5f}")
    print(model.string())


if __name__ == "__main__":
    main()
