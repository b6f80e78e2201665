# expect: nothing
"""LSTM that adds the marked numbers of a sequence, with gradient clipping."""
import torch
import torch.nn as nn

torch.manual_seed(40)
T, HIDDEN = 10, 32


class Adder(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(2, HIDDEN, batch_first=True)
        self.fc = nn.Linear(HIDDEN, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1]).squeeze(-1)


def sample(n):
    value = torch.rand(n, T)
    marks = torch.zeros(n, T)
    for row in marks:
        row[torch.randperm(T)[:2]] = 1.0
    return torch.stack([value, marks], -1), (value * marks).sum(1)


class Stepper:
    def __init__(self, params, lr, max_norm):
        self.params = list(params)
        self.opt = torch.optim.SGD(self.params, lr=lr, momentum=0.9)
        self.max_norm = max_norm

    def __call__(self, loss):
        self.opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.params, self.max_norm)
        self.opt.step()


def main():
    x, y = sample(1500)
    xt, yt = sample(400)
    model = Adder()
    step = Stepper(model.parameters(), lr=0.08, max_norm=1.0)
    for epoch in range(25):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(30):
            loss = nn.functional.mse_loss(model(x[idx]), y[idx])
            step(loss)
            total += loss.item()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} mse {total / 50:.4f}")
    model.eval()
    with torch.no_grad():
        print(f"test mse {nn.functional.mse_loss(model(xt), yt).item():.4f} (variance {yt.var().item():.4f})")


if __name__ == "__main__":
    main()
