# expect: nothing
"""BERT in small: masked-token pretraining, then a linear probe on the frozen encoder."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.model_selection import train_test_split

CLS, MASK, FIRST = 0, 1, 2
N_TOKENS, SEQ = 22, 14


def topic_rows(n, seed):
    """Each row is drawn from one of four topics; the label is the topic's parity."""
    rng = np.random.default_rng(seed)
    k = N_TOKENS - FIRST
    topics = rng.dirichlet(np.full(k, 0.3), size=4)
    rows = np.stack([rng.choice(k, SEQ, p=topics[i % 4]) for i in range(n)]) + FIRST
    rows = np.hstack([np.full((n, 1), CLS), rows])
    rows, first = np.unique(rows, axis=0, return_index=True)      # no row twice
    return torch.from_numpy(rows), torch.from_numpy(first % 2)


def mask_tokens(ids, rate=0.2):
    """80% [MASK], 10% random, 10% kept; everything else gets the label -100."""
    labels = ids.clone()
    chosen = (torch.rand(ids.shape) < rate) & (ids >= FIRST)
    chosen[:, SEQ // 2] |= ~chosen.any(1)                     # at least one per row
    labels[~chosen] = -100
    dice = torch.rand(ids.shape)
    noisy = ids.clone()
    noisy[chosen & (dice < 0.8)] = MASK
    swap = chosen & (dice >= 0.9)
    noisy[swap] = torch.randint(FIRST, N_TOKENS, (int(swap.sum()),))
    return noisy, labels


class Encoder(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.tok, self.pos = nn.Embedding(N_TOKENS, dim), nn.Embedding(SEQ + 1, dim)
        layer = nn.TransformerEncoderLayer(dim, 4, 64, dropout=0.1, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, nn.LayerNorm(dim), enable_nested_tensor=False)

    def forward(self, ids):
        return self.body(self.tok(ids) + self.pos.weight)


class MLM(nn.Module):
    def __init__(self, encoder, dim=32):
        super().__init__()
        self.encoder = encoder
        self.transform = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.LayerNorm(dim))
        self.bias = nn.Parameter(torch.zeros(N_TOKENS))

    def training_step(self, ids):
        noisy, labels = mask_tokens(ids)
        scores = F.linear(self.transform(self.encoder(noisy)), self.encoder.tok.weight, self.bias)
        return F.cross_entropy(scores.flatten(0, 1), labels.flatten(), ignore_index=-100)


class Probe(nn.Module):
    """Trains only its head: the encoder stays in eval mode, whatever train() is told."""

    def __init__(self, encoder, dim=32):
        super().__init__()
        self.encoder = encoder.requires_grad_(False)
        self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(dim, 1))

    def train(self, mode=True):
        super().train(mode)
        self.encoder.eval()
        return self

    def forward(self, ids):
        with torch.no_grad():
            features = self.encoder(ids).mean(1)
        return self.head(features).squeeze(-1)


def loop(module, optimizer, n_rows, step, epochs, size, name):
    for epoch in range(1, epochs + 1):
        module.train()
        losses = []
        for idx in torch.randperm(n_rows).split(size):
            optimizer.zero_grad()
            loss = step(idx)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"{name} epoch {epoch}: {np.mean(losses):.3f}")


if __name__ == "__main__":
    torch.manual_seed(77)
    x, y = topic_rows(1100, seed=77)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)

    encoder = Encoder()
    for table in (encoder.tok, encoder.pos):
        nn.init.normal_(table.weight, std=0.1)
    mlm = MLM(encoder)
    warm = 25
    opt = torch.optim.AdamW(mlm.parameters(), lr=4e-3)
    ramp = torch.optim.lr_scheduler.LinearLR(opt, start_factor=0.1, total_iters=warm)
    opt.register_step_post_hook(lambda *_: ramp.step())         # one notch per optimizer step
    loop(mlm, opt, len(x_train), lambda i: mlm.training_step(x_train[i]), epochs=4, size=32, name="mlm")

    probe = Probe(encoder)
    head_opt = torch.optim.Adam(probe.head.parameters(), lr=1e-2)
    bce = nn.BCEWithLogitsLoss()
    loop(probe, head_opt, len(x_train), lambda i: bce(probe(x_train[i]), y_train[i].float()), 4, 32, "probe")
    probe.eval()
    with torch.inference_mode():
        print(f"probe accuracy on test rows: {((probe(x_test) > 0).long() == y_test).float().mean():.3f}")
