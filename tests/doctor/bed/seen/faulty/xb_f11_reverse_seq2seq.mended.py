# expect: nothing
"""Seq2seq with GRUs: learn to write a digit string backwards (scheduled teacher forcing)."""
import torch
from torch import nn
import torch.nn.functional as F

DIGITS, BOS, LENGTH = 8, 8, 5


def toy_pairs(n, gen):
    codes = torch.randperm(DIGITS ** LENGTH, generator=gen)[:n]      # all different
    src = torch.stack([(codes // DIGITS ** k) % DIGITS for k in range(LENGTH)], dim=1)
    return src, src.flip(1)


class Encoder(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.embed = nn.Embedding(DIGITS, dim)
        self.gru = nn.GRU(dim, dim, batch_first=True)

    def forward(self, src):
        return self.gru(self.embed(src))[1].squeeze(0)


class Decoder(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.embed = nn.Embedding(DIGITS + 1, dim)
        self.drop = nn.Dropout(0.05)
        self.cell = nn.GRUCell(dim, dim)
        self.out = nn.Linear(dim, DIGITS)

    def forward(self, state, target=None, forcing=0.0, gen=None):
        token = torch.full((len(state),), BOS)
        steps = []
        for t in range(LENGTH):
            state = self.cell(self.drop(self.embed(token)), state)
            logit = self.out(state)
            steps.append(logit)
            token = logit.argmax(dim=1)
            if target is not None and torch.rand((), generator=gen) < forcing:
                token = target[:, t]
        return torch.stack(steps, dim=1)


class Seq2Seq(nn.Module):
    def __init__(self, dim=64):
        super().__init__()
        self.enc, self.dec = Encoder(dim), Decoder(dim)

    def forward(self, src, **kw):
        return self.dec(self.enc(src), **kw)


def minibatches(src, trg, size, gen):
    for idx in torch.randperm(len(src), generator=gen).split(size):
        yield src[idx], trg[idx]


def train_epoch(model, opt, data, epoch, seed):
    gen = torch.Generator().manual_seed(seed + epoch)
    forcing = max(0.5, 1.0 - 0.05 * epoch)
    model.train()
    total = 0.0
    for src, trg in minibatches(*data, 64, gen):
        logits = model(src, target=trg, forcing=forcing, gen=gen)
        loss = F.cross_entropy(logits.flatten(0, 1), trg.flatten())
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        total += loss.item() * len(src)
    return total / len(data[0])


@torch.no_grad()
def token_accuracy(model, src, trg):
    model.eval()
    return (model(src).argmax(dim=-1) == trg).float().mean().item()


def main(seed=17, epochs=8):
    torch.manual_seed(seed)
    src, trg = toy_pairs(1200, torch.Generator().manual_seed(seed))
    train, valid = (src[:1000], trg[:1000]), (src[1000:], trg[1000:])
    model = Seq2Seq()
    opt = torch.optim.Adam(model.parameters(), lr=4e-3)
    for epoch in range(epochs):
        loss = train_epoch(model, opt, train, epoch, seed)
        print(f"epoch {epoch + 1}: loss {loss:.4f}  token accuracy {token_accuracy(model, *valid):.3f}")


if __name__ == "__main__":
    main()
