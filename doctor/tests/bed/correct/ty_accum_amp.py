# expect: nothing
"""Breast cancer table: bfloat16 autocast, gradient accumulation, warm-up + cosine per update."""
import math

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MICRO, ACCUM, EPOCHS, WARMUP = 8, 4, 8, 10


def get_data(seed=13):
    data = load_breast_cancer()
    x_tr, x_te, y_tr, y_te = train_test_split(
        data.data, data.target, test_size=0.25, stratify=data.target, random_state=seed)
    scaler = StandardScaler().fit(x_tr)

    def pack(x, y):
        return TensorDataset(torch.tensor(scaler.transform(x), dtype=torch.float32),
                             torch.tensor(y, dtype=torch.float32))

    return pack(x_tr, y_tr), pack(x_te, y_te)


def make_schedule(optimizer, total):
    def factor(update):
        if update < WARMUP:
            return (update + 1) / WARMUP
        progress = (update - WARMUP) / max(1, total - WARMUP)
        return 0.5 * (1.0 + math.cos(math.pi * progress))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def windows(loader, size):
    """Groups micro-batches; the last group may be shorter."""
    group = []
    for batch in loader:
        group.append(batch)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def train(model, dataset):
    loader = DataLoader(dataset, batch_size=MICRO, shuffle=True)
    updates_per_epoch = math.ceil(len(loader) / ACCUM)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1e-2)
    scheduler = make_schedule(optimizer, updates_per_epoch * EPOCHS)
    summed_bce = nn.BCEWithLogitsLoss(reduction="sum")
    for epoch in range(EPOCHS):
        model.train()
        running = 0.0
        for group in windows(loader, ACCUM):
            rows = sum(len(y) for _, y in group)
            for x, y in group:
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    logits = model(x)
                # sum over the micro-batch, divided by the rows of the whole update
                loss = summed_bce(logits.float().squeeze(-1), y) / rows
                loss.backward()
                running += loss.item() * rows
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad(set_to_none=True)
        print(f"epoch {epoch} loss {running / len(dataset):.4f} "
              f"next lr {scheduler.get_last_lr()[0]:.2e}")


def evaluate(model, dataset):
    model.eval()
    x, y = dataset.tensors
    with torch.inference_mode():
        guess = model(x).squeeze(-1) > 0
    return balanced_accuracy_score(y.numpy(), guess.numpy())


if __name__ == "__main__":
    torch.manual_seed(13)
    train_set, test_set = get_data()
    network = nn.Sequential(nn.Linear(30, 32), nn.LayerNorm(32), nn.GELU(),
                            nn.Dropout(0.1), nn.Linear(32, 1))
    train(network, train_set)
    print(f"test balanced accuracy {evaluate(network, test_set):.3f}")
