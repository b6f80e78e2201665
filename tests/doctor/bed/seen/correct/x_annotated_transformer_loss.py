# expect: nothing
# looks suspicious: a KL divergence with reduction "sum" (divided by the number of tokens), one run_epoch for
# training and validation, a learning rate of 1 given to Adam (scaled by the schedule), softmax in attention.
import copy
import math

import torch
import torch.nn as nn
from torch.nn.functional import log_softmax
from torch.optim.lr_scheduler import LambdaLR

d_model, vocab, length = 24, 11, 8


def attention(query, key, value, mask):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.size(-1))
    return scores.masked_fill(~mask, -1e9).softmax(dim=-1) @ value


class Block(nn.Module):
    def __init__(self, dropout=0.1):
        super().__init__()
        self.qkv, self.out = nn.Linear(d_model, 3 * d_model), nn.Linear(d_model, d_model)
        self.ff = nn.Sequential(nn.Linear(d_model, 48), nn.ReLU(), nn.Linear(48, d_model))
        self.norm1, self.norm2, self.dropout = (
            nn.LayerNorm(d_model),
            nn.LayerNorm(d_model),
            nn.Dropout(dropout),
        )

    def forward(self, x, mask):
        x = x + self.dropout(self.out(attention(*self.qkv(self.norm1(x)).chunk(3, dim=-1), mask)))
        return x + self.dropout(self.ff(self.norm2(x)))


class Copier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.place = nn.Embedding(vocab, d_model), nn.Embedding(2 * length, d_model)
        block = Block()
        self.blocks = nn.ModuleList(copy.deepcopy(block) for _ in range(2))
        self.generator = nn.Linear(d_model, vocab)
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.xavier_uniform_(p)

    def forward(self, tokens):
        n = tokens.size(1)
        x = self.embed(tokens) * math.sqrt(d_model) + self.place(torch.arange(n))
        for block in self.blocks:
            x = block(x, torch.ones(n, n, dtype=torch.bool).tril())
        return log_softmax(self.generator(x), dim=-1)


class LabelSmoothing(nn.Module):
    def __init__(self, size, smoothing=0.1):
        super().__init__()
        self.criterion, self.size, self.smoothing = nn.KLDivLoss(reduction="sum"), size, smoothing

    def forward(self, x, target):
        true_dist = torch.full_like(x, self.smoothing / (self.size - 1)).detach()
        true_dist.scatter_(1, target.unsqueeze(1), 1 - self.smoothing)
        return self.criterion(x, true_dist)


def data_gen(batch_size, nbatches):
    for _ in range(nbatches):
        half = torch.randint(1, vocab, (batch_size, length))
        yield torch.cat([half, half], 1)


def run_epoch(data_iter, model, criterion, optimizer=None, scheduler=None):
    total_tokens, total_loss = 0, 0.0
    for tokens in data_iter:
        out = model(tokens[:, :-1])[:, length - 1 :]
        ntokens = out.size(0) * out.size(1)
        loss = criterion(out.reshape(-1, vocab), tokens[:, length:].reshape(-1)) / ntokens
        if optimizer is not None:
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            scheduler.step()
        total_loss, total_tokens = total_loss + loss.item() * ntokens, total_tokens + ntokens
    return total_loss / total_tokens


torch.manual_seed(0)
model, criterion = Copier(), LabelSmoothing(vocab)
optimizer = torch.optim.Adam(model.parameters(), lr=1.0, betas=(0.9, 0.98), eps=1e-9)
rate = lambda step: d_model**-0.5 * min(max(step, 1) ** -0.5, max(step, 1) * 40**-1.5)  # noqa: E731
scheduler = LambdaLR(optimizer, lr_lambda=rate)
for epoch in range(4):
    model.train()
    train_loss = run_epoch(data_gen(32, 20), model, criterion, optimizer, scheduler)
    model.eval()
    with torch.no_grad():
        print(
            f"epoch {epoch} train {train_loss:.4f} valid {run_epoch(data_gen(32, 4), model, criterion):.4f}"
        )
