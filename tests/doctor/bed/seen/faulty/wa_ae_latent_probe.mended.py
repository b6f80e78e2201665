# expect: nothing
"""Masked autoencoder pretraining on digits, then a probe on the frozen latent codes."""
import argparse
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class MaskedAE(nn.Module):
    def __init__(self, width=64, code=24):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, width), nn.GELU(), nn.LayerNorm(width), nn.Linear(width, code))
        self.decoder = nn.Sequential(nn.Linear(code, width), nn.GELU(), nn.Linear(width, 64))

    def training_step(self, batch, keep=0.7):
        (x,) = batch
        mask = (torch.rand_like(x) < keep).float()
        rec = self.decoder(self.encoder(x * mask))
        err = (rec - x).pow(2)
        # hidden pixels count fully, visible ones a little
        return (err * (1 - mask)).mean() + 0.3 * (err * mask).mean()


def make_loader(x, batch_size, training=True):
    return DataLoader(TensorDataset(x), batch_size=batch_size, shuffle=training)


def pretrain(model, loader, epochs, lr):
    opt = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-4)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=lr, total_steps=epochs * len(loader))
    model.train()
    for epoch in range(epochs):
        acc = 0.0
        for batch in loader:
            opt.zero_grad(set_to_none=True)
            loss = model.training_step(batch)
            loss.backward()
            opt.step()
            sched.step()
            acc += loss.item()
        print(f"pretrain {epoch + 1}/{epochs} loss {acc / len(loader):.4f}")


@torch.no_grad()
def extract(model, x, batch_size=128):
    model.eval()
    loader = make_loader(x, batch_size, training=False)
    return torch.cat([model.encoder(b) for (b,) in loader])


def fit_probe(codes, labels, epochs=20):
    mean, std = codes.mean(0), codes.std(0) + 1e-6
    probe = nn.Linear(codes.size(1), 10)
    opt = torch.optim.Adam(probe.parameters(), lr=1e-2)
    loader = DataLoader(TensorDataset((codes - mean) / std, labels), batch_size=64, shuffle=True)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        tot = 0.0
        for z, t in loader:
            opt.zero_grad(set_to_none=True)
            loss = loss_fn(probe(z), t)
            loss.backward()
            opt.step()
            tot += loss.item() * len(t)
    print(f"probe: final train loss {tot / len(labels):.4f}")

    def predict(c):
        with torch.no_grad():
            return probe((c - mean) / std).argmax(dim=1)

    return predict


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--bs", type=int, default=64)
    args = parser.parse_args(argv)
    torch.manual_seed(0)

    X, y = load_digits(return_X_y=True)
    parts = train_test_split(X / 16.0, y, test_size=0.3, random_state=0, stratify=y)
    x_train, x_test = (torch.tensor(p, dtype=torch.float32) for p in parts[:2])
    y_train, y_test = (torch.tensor(p) for p in parts[2:])

    model = MaskedAE()
    pretrain(model, make_loader(x_train, args.bs), args.epochs, args.lr)

    z_train, z_test = extract(model, x_train), extract(model, x_test)
    predict = fit_probe(z_train, y_train)
    acc = (predict(z_test) == y_test).float().mean().item()
    print(f"latent probe test accuracy {acc:.3f}")


if __name__ == "__main__":
    main()
