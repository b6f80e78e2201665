# expect: nothing
"""Next-category recommender over shop sessions: packed GRU, learned on synthetic click logs."""
from __future__ import annotations

import random
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

N_CATEGORIES = 8
PAD = 0


@dataclass
class Settings:
    sessions: int = 1200
    emb: int = 16
    hidden: int = 32
    lr: float = 5e-3
    epochs: int = 6
    batch_size: int = 32


class Sessions(Dataset):
    """Users walk to a neighbouring category most of the time and jump otherwise."""

    def __init__(self, n: int, rng: random.Random) -> None:
        self.rows: list[tuple[Tensor, int]] = []
        for _ in range(n):
            stride = rng.choice([1, 3])
            walk = [rng.randrange(N_CATEGORIES)]
            for _ in range(rng.randint(3, 9)):
                nxt = (walk[-1] + stride) % N_CATEGORIES
                walk.append(nxt if rng.random() < 0.9 else rng.randrange(N_CATEGORIES))
            self.rows.append((torch.tensor(walk[:-1]) + 1, walk[-1]))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        return self.rows[i]


def collate(batch: list[tuple[Tensor, int]]) -> tuple[Tensor, Tensor, Tensor]:
    clicks, nxt = zip(*batch)
    lengths = torch.tensor([len(c) for c in clicks])
    return pad_sequence(clicks, batch_first=True, padding_value=PAD), lengths, torch.tensor(nxt)


class NextCategory(nn.Module):
    def __init__(self, cfg: Settings) -> None:
        super().__init__()
        self.emb = nn.Embedding(N_CATEGORIES + 1, cfg.emb, padding_idx=PAD)
        self.gru = nn.GRU(cfg.emb, cfg.hidden, batch_first=True)
        self.out = nn.Linear(cfg.hidden, N_CATEGORIES)

    def forward(self, clicks: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(self.emb(clicks), lengths, batch_first=True, enforce_sorted=False)
        _, state = self.gru(packed)
        return self.out(state[-1])


def hit_rate(model: NextCategory, loader: DataLoader, k: int) -> float:
    model.eval()
    hits = seen = 0
    with torch.no_grad():
        for clicks, lengths, nxt in loader:
            top = model(clicks, lengths).topk(k, dim=1).indices
            hits += (top == nxt.unsqueeze(1)).any(1).sum().item()
            seen += len(nxt)
    return hits / seen


def main(cfg: Settings) -> None:
    torch.manual_seed(0)
    rng = random.Random(0)
    train_set, test_set = Sessions(cfg.sessions, rng), Sessions(400, rng)
    train_loader = DataLoader(train_set, cfg.batch_size, shuffle=True, collate_fn=collate)
    test_loader = DataLoader(test_set, 100, collate_fn=collate)
    model = NextCategory(cfg)
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        model.train()
        losses = []
        for clicks, lengths, nxt in train_loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(clicks, lengths), nxt)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch} loss {sum(losses) / len(losses):.4f}")
    print(f"hit@1 {hit_rate(model, test_loader, 1):.3f}  hit@3 {hit_rate(model, test_loader, 3):.3f}")


if __name__ == "__main__":
    main(Settings())
