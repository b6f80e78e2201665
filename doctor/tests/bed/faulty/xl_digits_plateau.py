# expect: scheduler_misuse @ 47
# allowed: scheduler_misuse @ 59
# mend: 47 →     scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", factor=0.1, patience=args.patience)
import argparse
import torch
import torch.nn as nn
import torch.optim as optim
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split


def get_loaders(batch_size, seed):
    digits = load_digits()
    data = TensorDataset(torch.tensor(digits.data, dtype=torch.float32) / 16.0,
                         torch.tensor(digits.target))
    g = torch.Generator().manual_seed(seed)
    train, val, test = random_split(data, [1197, 300, 300], generator=g)
    return (DataLoader(train, batch_size=batch_size, shuffle=True),
            DataLoader(val, batch_size=300),
            DataLoader(test, batch_size=300))


def accuracy(model, loader):
    model.eval()
    correct = total = 0
    with torch.no_grad():
        for x, y in loader:
            correct += (model(x).argmax(1) == y).sum().item()
            total += y.numel()
    return correct / total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--patience", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    train_loader, val_loader, test_loader = get_loaders(64, args.seed)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.parameters(), lr=args.lr, momentum=0.5)
    # drop the learning rate when validation accuracy stops improving
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=args.patience)

    for epoch in range(args.epochs):
        model.train()
        running = 0.0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            running += loss.item()
        val_acc = accuracy(model, val_loader)
        scheduler.step(val_acc)
        if epoch % 4 == 3:
            lr = optimizer.param_groups[0]["lr"]
            print(f"epoch {epoch + 1:2d}  loss {running / len(train_loader):.3f}  val acc {val_acc:.3f}  lr {lr:.1e}")

    print(f"test acc {accuracy(model, test_loader):.3f}")


if __name__ == "__main__":
    main()
