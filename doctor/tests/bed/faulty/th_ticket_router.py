# expect: softmax_wrong_dim @ 67
# mend: 67 →         attention = scores.softmax(dim=-1)
"""Routes support tickets to a team with a small self-attention encoder, packaged like a service."""
import math
import random
from dataclasses import dataclass
from typing import Sequence

import torch
from torch import Tensor, nn

TEAMS = ("billing", "shipping", "account")
PHRASES = {
    "billing": ["charged twice", "refund missing", "invoice wrong", "card declined", "price differs"],
    "shipping": ["parcel lost", "box damaged", "courier late", "wrong address", "tracking stuck"],
    "account": ["password reset", "login fails", "email change", "profile locked", "code expired"],
}
FILLER = "hello please help today my the order again still i need team thanks since monday it was".split()


@dataclass(frozen=True)
class RouterConfig:
    width: int = 32
    heads: int = 4
    max_len: int = 14
    batch_size: int = 32
    epochs: int = 8
    lr: float = 3e-3


def make_ticket(rng: random.Random) -> tuple[str, int]:
    team = rng.randrange(len(TEAMS))
    words = rng.choices(FILLER, k=rng.randint(5, 11))
    at = rng.randint(0, len(words))
    words[at:at] = rng.choice(PHRASES[TEAMS[team]]).split()
    return " ".join(words), team


class Vocabulary:
    def __init__(self, texts: Sequence[str]) -> None:
        words = sorted({w for t in texts for w in t.split()})
        self.index = {w: i + 2 for i, w in enumerate(words)}

    def __len__(self) -> int:
        return len(self.index) + 2

    def encode(self, texts: Sequence[str], length: int) -> Tensor:
        out = torch.zeros(len(texts), length, dtype=torch.long)
        for row, text in zip(out, texts):
            ids = [self.index.get(w, 1) for w in text.split()][:length]
            row[: len(ids)] = torch.tensor(ids)
        return out


class SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) / math.sqrt(width // self.heads)
        scores = scores.masked_fill(padding[:, None, None, :], -1e4)
        attention = scores.softmax(dim=1)
        return self.out((attention @ v).transpose(1, 2).reshape(batch, length, width))


class Router(nn.Module):
    def __init__(self, vocab_size: int, config: RouterConfig) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocab_size, config.width, padding_idx=0)
        self.position = nn.Parameter(0.02 * torch.randn(config.max_len, config.width))
        self.attention = SelfAttention(config.width, config.heads)
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, len(TEAMS))

    def forward(self, tokens: Tensor) -> Tensor:
        padding = tokens == 0
        x = self.embed(tokens) + self.position
        x = self.norm(x + self.attention(x, padding))
        keep = (~padding).unsqueeze(-1)
        return self.head((x * keep).sum(dim=1) / keep.sum(dim=1))


def main() -> None:
    config, rng = RouterConfig(), random.Random(5)
    torch.manual_seed(5)
    tickets = list(dict.fromkeys(make_ticket(rng) for _ in range(1000)))
    train, test = tickets[:750], tickets[750:]
    vocab = Vocabulary([text for text, _ in train])
    pack = lambda rows: (vocab.encode([t for t, _ in rows], config.max_len), torch.tensor([y for _, y in rows]))
    (x, y), (x_test, y_test) = pack(train), pack(test)

    model = Router(len(vocab), config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.lr)
    for epoch in range(config.epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(config.batch_size):
            loss = nn.functional.cross_entropy(model(x[idx]), y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch} loss {total / len(x):.4f}")

    model.eval()
    with torch.no_grad():
        print(f"routed correctly: {(model(x_test).argmax(dim=-1) == y_test).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
