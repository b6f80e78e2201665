# expect: nothing
"""Will the pump fail within a week?  Readings of a fleet of pumps, logistic net, threshold one half."""
import numpy as np
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 19


def readings(n=5000):
    rng = np.random.default_rng(SEED)
    fails = (rng.random(n) < 0.04).astype(np.float32)
    vibration = rng.normal(0, 1, n) + 1.0 * fails
    heat = rng.normal(60, 8, n) + 7 * fails
    pressure = rng.normal(4, 0.5, n) - 0.4 * fails
    hours = rng.uniform(0, 20000, n)
    current = rng.normal(12, 2, n) + 0.8 * fails
    return np.column_stack([vibration, heat, pressure, hours, current]), fails


def split_and_scale(x, y):
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=SEED)
    scaler = StandardScaler().fit(x_train)
    pack = lambda a, b: TensorDataset(
        torch.tensor(scaler.transform(a), dtype=torch.float32), torch.tensor(b).unsqueeze(1)
    )
    return pack(x_train, y_train), pack(x_test, y_test)


class PumpNet(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, 16), nn.ReLU(), nn.Dropout(0.2))
        self.head = nn.Linear(16, 1)

    def forward(self, x):
        return self.head(self.body(x))


def train(model, loader, criterion, epochs=12):
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    for epoch in range(epochs):
        model.train()
        losses = []
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}")


@torch.no_grad()
def counts(model, data):
    model.eval()
    x, y = data.tensors
    alarm = torch.sigmoid(model(x)) > 0.5
    return {
        "failures found": int((alarm & (y == 1)).sum()),
        "failures missed": int((~alarm & (y == 1)).sum()),
        "false alarms": int((alarm & (y == 0)).sum()),
        "rightly quiet": int((~alarm & (y == 0)).sum()),
    }


def main():
    torch.manual_seed(SEED)
    train_set, test_set = split_and_scale(*readings())
    loader = DataLoader(train_set, batch_size=128, shuffle=True)
    model = PumpNet(5)
    labels = train_set.tensors[1]
    pos_weight = (labels == 0).sum() / (labels == 1).sum()
    train(model, loader, nn.BCEWithLogitsLoss(pos_weight=pos_weight))
    table = counts(model, test_set)
    for name, number in table.items():
        print(f"{name:<16}{number:5d}")
    sensitivity = table["failures found"] / (table["failures found"] + table["failures missed"])
    specificity = table["rightly quiet"] / (table["rightly quiet"] + table["false alarms"])
    print(f"accuracy {(table['failures found'] + table['rightly quiet']) / len(test_set):.3f}")
    print(f"sensitivity {sensitivity:.3f} specificity {specificity:.3f}")


if __name__ == "__main__":
    main()
