# expect: metric_wrong_axis @ 38
"""A pointer network learns to sort: for each place in the output it points at the input element that belongs there."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

N_ITEMS, WIDTH = 6, 32


class PointerSorter(nn.Module):
    def __init__(self, n_items=N_ITEMS, width=WIDTH):
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(1, width), nn.GELU(), nn.Linear(width, width))
        self.encoder = nn.TransformerEncoderLayer(width, nhead=4, dim_feedforward=64, dropout=0.0,
                                                  activation="gelu", batch_first=True)
        self.places = nn.Parameter(torch.randn(n_items, width) * 0.5)
        self.key = nn.Linear(width, width)

    def forward(self, values):
        memory = self.encoder(self.embed(values.unsqueeze(-1)))
        keys = self.key(memory)
        return torch.einsum("pw,biw->bpi", self.places, keys) / math.sqrt(keys.shape[-1])


def pointer_loss(scores, order):
    return F.cross_entropy(scores.flatten(0, 1), order.flatten())


class Meter:
    """Share of places filled rightly, and of rows sorted without a mistake."""

    def __init__(self):
        self.places = self.rows = self.count = 0

    def update(self, scores, order):
        picked = scores.argmax(dim=1)
        hit = picked == order
        self.places += hit.float().mean(1).sum().item()
        self.rows += hit.all(1).sum().item()
        self.count += len(order)

    def __str__(self):
        return f"places {self.places / self.count:.3f}, whole rows {self.rows / self.count:.3f}"


def make_rows(n, generator):
    values = torch.rand(n, N_ITEMS, generator=generator) * 2 - 1
    return values, values.argsort(dim=1)


def main():
    torch.manual_seed(3)
    source = torch.Generator().manual_seed(17)
    train_x, train_y = make_rows(3000, source)
    test_x, test_y = make_rows(600, source)
    model = PointerSorter()
    epochs, batch = 10, 64
    steps = epochs * math.ceil(len(train_x) / batch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for epoch in range(epochs):
        model.train()
        running = 0.0
        for rows in torch.randperm(len(train_x)).split(batch):
            loss = pointer_loss(model(train_x[rows]), train_y[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            running += loss.item() * len(rows)
        if epoch % 3 == 0:
            print(f"epoch {epoch}: loss {running / len(train_x):.4f}")
    model.eval()
    meter = Meter()
    with torch.inference_mode():
        for xb, yb in zip(test_x.split(200), test_y.split(200)):
            meter.update(model(xb), yb)
    print("test:", meter)


if __name__ == "__main__":
    main()
