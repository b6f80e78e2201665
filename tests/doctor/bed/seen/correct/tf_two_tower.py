# expect: nothing
"""Two-tower retrieval with in-batch negatives and a learned temperature."""
import argparse

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Tower(nn.Module):
    def __init__(self, n_in: int, dim: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, 32), nn.ReLU(), nn.Linear(32, dim))

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(self.net(x), dim=1)


class TwoTower(nn.Module):
    def __init__(self, n_user: int, n_item: int, dim: int) -> None:
        super().__init__()
        self.user, self.item = Tower(n_user, dim), Tower(n_item, dim)
        self.log_scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        return self.log_scale.clamp(max=4.0).exp() * self.user(user) @ self.item(item).T


def simulate(n: int, dim: int = 6) -> tuple[Tensor, Tensor]:
    """Every user row is paired with the item bought; both are noisy views of one intent."""
    intent = torch.randn(n, dim)
    to_user, to_item = torch.randn(dim, 12) / dim ** 0.5, torch.randn(dim, 10) / dim ** 0.5
    return intent @ to_user + 0.1 * torch.randn(n, 12), torch.tanh(intent @ to_item) + 0.05 * torch.randn(n, 10)


def in_batch_loss(scores: Tensor) -> Tensor:
    match = torch.arange(len(scores))
    return 0.5 * (F.cross_entropy(scores, match) + F.cross_entropy(scores.T, match))


@torch.inference_mode()
def recall_at(model: TwoTower, user: Tensor, item: Tensor, k: int) -> float:
    model.eval()
    top = model(user, item).topk(k, dim=1).indices
    return (top == torch.arange(len(user)).unsqueeze(1)).any(dim=1).float().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dim", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--batch-size", type=int, default=64)
    args = parser.parse_args()
    torch.manual_seed(31)
    user, item = simulate(1400)
    n_train = 1200
    model = TwoTower(user.shape[1], item.shape[1], args.dim)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(1, args.epochs + 1):
        model.train()
        losses = []
        for rows in torch.randperm(n_train).split(args.batch_size):
            loss = in_batch_loss(model(user[rows], item[rows]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {torch.stack(losses).mean().item():.4f}")
    held_out = slice(n_train, None)
    print(f"recall@1 {recall_at(model, user[held_out], item[held_out], 1):.3f} "
          f"recall@10 {recall_at(model, user[held_out], item[held_out], 10):.3f}")


if __name__ == "__main__":
    main()
