# expect: nothing
"""Kaggle kernel: digits with a small MLP and the one-cycle policy."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.optim.lr_scheduler import OneCycleLR


class CFG:
    seed = 42
    epochs = 8
    batch_size = 64
    max_lr = 0.1
    hidden = 96


def get_data():
    digits = load_digits()
    x_tr, x_te, y_tr, y_te = train_test_split(
        digits.data / 16.0, digits.target, test_size=0.25, random_state=CFG.seed, stratify=digits.target)
    to = lambda a: torch.tensor(a, dtype=torch.float32)
    return to(x_tr), to(x_te), torch.tensor(y_tr), torch.tensor(y_te)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, CFG.hidden)
        self.fc2 = nn.Linear(CFG.hidden, CFG.hidden)
        self.fc3 = nn.Linear(CFG.hidden, 10)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def train_fn(model, x, y, optimizer, scheduler):
    model.train()
    losses = []
    for idx in torch.randperm(len(x)).split(CFG.batch_size):
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(x[idx]), y[idx])
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.inference_mode()
def valid_fn(model, x, y):
    model.eval()
    logits = model(x)
    return F.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


def main():
    torch.manual_seed(CFG.seed)
    x_tr, x_te, y_tr, y_te = get_data()
    steps = -(-len(x_tr) // CFG.batch_size)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    scheduler = OneCycleLR(optimizer, max_lr=CFG.max_lr, epochs=CFG.epochs, steps_per_epoch=steps)
    for epoch in range(CFG.epochs):
        avg = train_fn(model, x_tr, y_tr, optimizer, scheduler)
        print(f"Epoch {epoch + 1} - avg_train_loss: {avg:.4f}  lr: {scheduler.get_last_lr()[0]:.6f}")
    loss, acc = valid_fn(model, x_te, y_te)
    print(f"hold-out loss {loss:.4f}  accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
