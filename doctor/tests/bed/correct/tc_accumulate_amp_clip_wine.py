# expect: nothing
"""Wine cultivars with gradient accumulation, bfloat16 autocast and clipping; the last, smaller group of an epoch is stepped as well."""
import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def get_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--micro-batch", type=int, default=8)
    parser.add_argument("--accumulate", type=int, default=3)
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--clip", type=float, default=1.0)
    parser.add_argument("--no-shuffle", dest="shuffle", action="store_false")
    return parser.parse_args()


def groups(loader, size):
    """Lists of up to `size` micro-batches."""
    group = []
    for batch in loader:
        group.append(batch)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def main(args):
    torch.manual_seed(1)
    x, y = load_wine(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=1)
    scaler = StandardScaler()
    x_train = torch.tensor(scaler.fit_transform(x_train), dtype=torch.float32)
    x_test = torch.tensor(scaler.transform(x_test), dtype=torch.float32)
    y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=args.micro_batch, shuffle=args.shuffle)

    net = nn.Sequential(nn.Linear(13, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 3))
    optimizer = torch.optim.AdamW(net.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        net.train()
        seen, total = 0, 0.0
        for group in groups(loader, args.accumulate):
            rows = sum(len(labels) for _, labels in group)
            for features, labels in group:
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    logits = net(features)
                loss = F.cross_entropy(logits.float(), labels, reduction="sum") / rows
                loss.backward()
                total += loss.item() * rows
            nn.utils.clip_grad_norm_(net.parameters(), args.clip)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            seen += rows
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {total / seen:.4f}")

    net.eval()
    with torch.no_grad():
        print(f"test accuracy {(net(x_test).argmax(1) == y_test).float().mean():.3f}")


if __name__ == "__main__":
    main(get_args())
