# expect: nothing
"""Subscriber survival: Cox partial likelihood with a small network, concordance on held-out rows."""
import numpy as np
import torch
from torch import Tensor, nn


def subscribers(n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    x = rng.normal(size=(n, 5))
    risk = 0.9 * x[:, 0] - 0.7 * x[:, 1] + 0.5 * x[:, 2] * x[:, 3]
    leave, censor = rng.exponential(np.exp(-risk)), rng.exponential(2.0, n)
    time, event = np.minimum(leave, censor), leave <= censor
    return tuple(torch.tensor(a, dtype=torch.float32) for a in (x, time, event))


def cox_loss(risk: Tensor, time: Tensor, event: Tensor) -> Tensor:
    """Rows are ordered by falling time so that each cumulative sum runs over the rows at risk."""
    order = time.argsort(descending=True)
    risk, event = risk[order], event[order]
    at_risk = torch.logcumsumexp(risk, dim=0)
    return -((risk - at_risk) * event).sum() / event.sum().clamp(min=1.0)


def concordance(risk: Tensor, time: Tensor, event: Tensor) -> float:
    earlier = (time[:, None] < time[None, :]) & (event[:, None] > 0)
    right = (risk[:, None] > risk[None, :]) & earlier
    return right.sum().item() / earlier.sum().item()


class RiskNet(nn.Module):
    def __init__(self, n_features: int, hidden: int = 24) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_features, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(),
            nn.Linear(hidden, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).squeeze(-1)


class SurvivalTrainer:
    def __init__(self, model: RiskNet, lr: float, batch_size: int) -> None:
        self.model, self.batch_size = model, batch_size
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)

    def epoch(self, x: Tensor, time: Tensor, event: Tensor) -> float:
        self.model.train()
        losses = []
        for rows in torch.randperm(len(x)).split(self.batch_size):
            loss = cox_loss(self.model(x[rows]), time[rows], event[rows])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        return float(np.mean(losses))


def main() -> None:
    torch.manual_seed(19)
    x, time, event = subscribers(1600, np.random.default_rng(19))
    train, test = slice(0, 1200), slice(1200, None)
    model = RiskNet(x.shape[1])
    trainer = SurvivalTrainer(model, lr=3e-3, batch_size=200)
    for epoch in range(1, 26):
        loss = trainer.epoch(x[train], time[train], event[train])
        if epoch % 5 == 0:
            print(f"epoch {epoch} partial likelihood loss {loss:.4f}")
    model.eval()
    with torch.no_grad():
        risk = model(x[test])
    print(f"held-out concordance {concordance(risk, time[test], event[test]):.3f}")


if __name__ == "__main__":
    main()
