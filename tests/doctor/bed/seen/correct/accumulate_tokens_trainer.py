# expect: nothing
# looks suspicious: sum losses, several backwards per step and gradients multiplied in place before the step;
# the sum is divided by the number of real tokens of the whole group, so the scale is a mean's.
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Config:
    vocab: int = 12
    dim: int = 24
    micro: int = 8
    micro_batches: int = 3
    steps: int = 60
    lr: float = 1e-2
    pad: int = 0


class Tagger(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.emb = nn.Embedding(cfg.vocab, cfg.dim, padding_idx=cfg.pad)
        self.rnn = nn.GRU(cfg.dim, cfg.dim, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * cfg.dim, 2)

    def forward(self, tokens):
        return self.out(self.rnn(self.emb(tokens))[0])


class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        self.gen = torch.Generator().manual_seed(3)
        self.model = Tagger(cfg)
        self.opt = torch.optim.Adam(self.model.parameters(), lr=cfg.lr)
        self.criterion = nn.CrossEntropyLoss(ignore_index=-100, reduction="sum")

    def micro_batch(self):
        length = torch.randint(4, 11, (self.cfg.micro,), generator=self.gen)
        tokens = torch.randint(1, self.cfg.vocab, (self.cfg.micro, 10), generator=self.gen)
        hidden = torch.arange(10)[None] >= length[:, None]
        tokens = tokens.masked_fill(hidden, self.cfg.pad)
        labels = (tokens.roll(1, 1) % 2).masked_fill(hidden, -100)
        labels[:, 0] = -100
        return tokens, labels

    def train_step(self):
        count, total = 0, 0.0
        for _ in range(self.cfg.micro_batches):
            tokens, labels = self.micro_batch()
            loss = self.criterion(self.model(tokens).flatten(0, 1), labels.flatten())
            loss.backward()
            total += loss.item()
            count += int((labels != -100).sum())
        for p in self.model.parameters():
            p.grad.div_(count)
        self.opt.step()
        self.opt.zero_grad()
        return total / count


torch.manual_seed(0)
trainer = Trainer(Config())
for step in range(trainer.cfg.steps):
    loss = trainer.train_step()
    if step % 15 == 0:
        print(f"step {step:3d}  loss per token {loss:.4f}")
print(f"last {loss:.4f}")
