# expect: metric_wrong_axis @ 40
"""Transformer encoder that learns to undo a toy cipher: reverse the message and shift every letter by its place."""
import torch
import torch.nn.functional as F
from torch import nn

ALPHABET, LENGTH = 12, 8


def encipher(plain):
    shift = torch.arange(plain.shape[1])
    return ((plain + shift) % ALPHABET).flip(1)


def corpus(n_train, n_test, gen):
    rows = torch.randint(0, ALPHABET, (2 * (n_train + n_test), LENGTH), generator=gen)
    rows = torch.unique(rows, dim=0)
    rows = rows[torch.randperm(len(rows), generator=gen)]
    return rows[:n_train], rows[n_train:n_train + n_test]


class Decipherer(nn.Module):
    def __init__(self, dim=48, heads=4, layers=2):
        super().__init__()
        self.letter = nn.Embedding(ALPHABET, dim)
        self.place = nn.Parameter(0.1 * torch.randn(LENGTH, dim))
        layer = nn.TransformerEncoderLayer(
            dim, heads, dim_feedforward=96, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.readout = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, ALPHABET))

    def forward(self, cipher):
        return self.readout(self.encoder(self.letter(cipher) + self.place))


def report(name, logits, plain):
    hit = logits.argmax(dim=-1) == plain
    letters = hit.float().mean().item()
    messages = hit.all(dim=0).float().mean().item()
    print(f"{name}: letters right {letters:.4f}, whole messages right {messages:.4f}")


def train(model, plain, epochs, batch, peak_lr, gen):
    per_epoch = -(-len(plain) // batch)
    opt = torch.optim.AdamW(model.parameters(), lr=peak_lr, weight_decay=0.01)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, peak_lr, total_steps=epochs * per_epoch, pct_start=0.2)
    model.train()
    for epoch in range(epochs):
        running = 0.0
        for idx in torch.randperm(len(plain), generator=gen).split(batch):
            target = plain[idx]
            logits = model(encipher(target))
            loss = F.cross_entropy(logits.transpose(1, 2), target)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            sched.step()
            running += loss.item() * len(idx)
        print(f"epoch {epoch + 1}: cross entropy {running / len(plain):.4f}")


def main():
    torch.manual_seed(8)
    gen = torch.Generator().manual_seed(8)
    train_rows, test_rows = corpus(2600, 500, gen)
    model = Decipherer()
    train(model, train_rows, epochs=7, batch=64, peak_lr=5e-3, gen=gen)
    model.eval()
    with torch.inference_mode():
        report("train", model(encipher(train_rows[:500])), train_rows[:500])
        report("test", model(encipher(test_rows)), test_rows)


main()
