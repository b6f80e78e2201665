# missed: train_mode_never_restored @ 22
# allowed: train_mode_never_restored @ 21
# mend: 20 +     was_training = net.training
# mend: 22 →
"""Breast cancer screening with a batch-normed net; early stopping on the validation loss, best weights kept in a file."""
import contextlib
import os
import tempfile

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@contextlib.contextmanager
def evaluating(net):
    """Evaluation mode without gradients inside the block; the mode of before afterwards."""
    net.eval()
    was_training = net.training
    with torch.no_grad():
        yield net
    net.train(was_training)


def prepare(seed):
    x, y = load_breast_cancer(return_X_y=True)
    x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    x_train, x_valid, y_train, y_valid = train_test_split(
        x_rest, y_rest, test_size=0.2, stratify=y_rest, random_state=seed)
    scaler = StandardScaler().fit(x_train)

    def pack(a, b):
        return TensorDataset(torch.tensor(scaler.transform(a), dtype=torch.float32),
                             torch.tensor(b, dtype=torch.float32))

    return pack(x_train, y_train), pack(x_valid, y_valid), pack(x_test, y_test)


def make_net(n_in):
    return nn.Sequential(
        nn.Linear(n_in, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(48, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(24, 1),
    )


def score(net, data, criterion):
    x, y = data.tensors
    with evaluating(net):
        logits = net(x).squeeze(1)
        return criterion(logits, y).item(), ((logits > 0).float() == y).float().mean().item()


def fit(net, train, valid, path, epochs=60, patience=10):
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-2)
    loader = DataLoader(train, batch_size=32, shuffle=True, drop_last=True)
    best, waited = float("inf"), 0
    net.train()
    for epoch in range(epochs):
        for x, y in loader:
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(net(x).squeeze(1), y)
            loss.backward()
            optimizer.step()
        valid_loss, valid_acc = score(net, valid, criterion)
        if valid_loss < best:
            best, waited = valid_loss, 0
            torch.save(net.state_dict(), path)
        else:
            waited += 1
        if waited >= patience:
            break
    print(f"ended after {epoch + 1} epochs, best validation loss {best:.4f}")
    net.load_state_dict(torch.load(path, weights_only=True))
    return criterion


def main():
    torch.manual_seed(13)
    train, valid, test = prepare(13)
    net = make_net(train.tensors[0].shape[1])
    with tempfile.TemporaryDirectory() as folder:
        criterion = fit(net, train, valid, os.path.join(folder, "best.pt"))
    loss, accuracy = score(net, test, criterion)
    print(f"test loss {loss:.4f} accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
