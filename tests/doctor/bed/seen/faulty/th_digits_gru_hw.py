# expect: softmax_before_cross_entropy @ 42
"""Homework 4, part 2: read an 8x8 digit row by row with a GRU and name it."""
import torch
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset


class DigitRows(Dataset):
    def __init__(self, images, labels):
        self.images = torch.tensor(images / 16.0, dtype=torch.float32)
        self.labels = torch.tensor(labels, dtype=torch.long)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.images[i], self.labels[i]


class RowReader(nn.Module):
    def __init__(self, hidden=48, classes=10):
        super().__init__()
        self.rnn = nn.GRU(8, hidden, batch_first=True)
        self.out = nn.Linear(hidden, classes)

    def forward(self, rows):
        _, h = self.rnn(rows)
        scores = self.out(h[-1])
        return scores, scores.softmax(dim=-1)


def train(net, loader, epochs):
    opt = optim.Adam(net.parameters(), lr=8e-3)
    loss_fn = nn.CrossEntropyLoss()
    net.train()
    for epoch in range(epochs):
        seen = correct = 0
        for rows, labels in loader:
            opt.zero_grad()
            scores, probs = net(rows)
            loss = loss_fn(probs, labels)
            loss.backward()
            opt.step()
            seen += len(labels)
            correct += (probs.argmax(1) == labels).sum().item()
        print(f"epoch {epoch + 1}: train accuracy {correct / seen:.3f}, last batch loss {loss.item():.3f}")


def test(net, loader):
    net.eval()
    correct, confidence, n = 0, 0.0, 0
    with torch.no_grad():
        for rows, labels in loader:
            _, probs = net(rows)
            top, guess = probs.max(dim=1)
            correct += (guess == labels).sum().item()
            confidence += top.sum().item()
            n += len(labels)
    return correct / n, confidence / n


if __name__ == "__main__":
    torch.manual_seed(446)
    digits = load_digits()
    order = torch.randperm(len(digits.target)).numpy()
    tr, te = order[:1350], order[1350:]
    net = RowReader()
    train(net, DataLoader(DigitRows(digits.images[tr], digits.target[tr]), batch_size=64, shuffle=True), epochs=8)
    acc, conf = test(net, DataLoader(DigitRows(digits.images[te], digits.target[te]), batch_size=256))
    print(f"test accuracy {acc:.3f}, mean confidence {conf:.3f}")
