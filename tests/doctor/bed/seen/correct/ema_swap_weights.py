# expect: nothing
# looks suspicious: weights are overwritten between steps: before each validation the averages are swapped
# in and afterwards the trained weights come back.
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class EMA:
    def __init__(self, model, decay):
        self.decay = decay
        self.shadow = {k: v.detach().clone() for k, v in model.named_parameters()}
        self.backup = {}

    @torch.no_grad()
    def update(self, model):
        for k, v in model.named_parameters():
            self.shadow[k].lerp_(v, 1 - self.decay)

    def apply(self, model):
        self.backup = {k: v.detach().clone() for k, v in model.named_parameters()}
        for k, v in model.named_parameters():
            v.data.copy_(self.shadow[k])

    def restore(self, model):
        for k, v in model.named_parameters():
            v.data.copy_(self.backup[k])


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        logits = model(x)
    model.train()
    return nn.functional.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


def main():
    torch.manual_seed(0)
    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x / 16, dtype=torch.float32)
    y = torch.tensor(y)
    train, val = train_test_split(torch.arange(len(y)), test_size=0.2, random_state=0)
    loader = DataLoader(TensorDataset(x[train], y[train]), batch_size=40, shuffle=True)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
    opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    ema = EMA(model, 0.95)
    for epoch in range(5):
        for xb, yb in loader:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(model(xb), yb)
            loss.backward()
            opt.step()
            ema.update(model)
        ema.apply(model)
        val_loss, val_acc = evaluate(model, x[val], y[val])
        ema.restore(model)
        print(f"epoch {epoch} train {loss.item():.4f} ema val {val_loss:.4f} acc {val_acc:.4f}")


if __name__ == "__main__":
    main()
