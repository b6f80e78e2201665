# expect: missing_eval @ 31
import torch
from torch import nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset


class Callback:
    def on_epoch_end(self, learner, epoch):
        pass

    def on_fit_end(self, learner):
        pass


class LossPrinter(Callback):
    def on_epoch_end(self, learner, epoch):
        if epoch % 5 == 4:
            print(f"[{epoch + 1:02d}] train loss {learner.epoch_loss:.4f}")


class Validation(Callback):
    def __init__(self, x, y):
        self.x, self.y = x, y

    def on_fit_end(self, learner):
        net = learner.net
        with torch.no_grad():
            logits = net(self.x).squeeze(1)
            loss = nn.functional.binary_cross_entropy_with_logits(logits, self.y)
            acc = ((logits > 0).float() == self.y).float().mean()
        print(f"held-out loss {loss.item():.4f}  accuracy {acc.item():.4f}")


class Learner:
    def __init__(self, net, loader, callbacks):
        self.net, self.loader, self.callbacks = net, loader, callbacks
        self.opt = torch.optim.Adam(net.parameters(), lr=2e-3)
        self.loss_fn = nn.BCEWithLogitsLoss()

    def fit(self, epochs):
        for epoch in range(epochs):
            self.net.train()
            running = 0.0
            for xb, yb in self.loader:
                self.opt.zero_grad()
                loss = self.loss_fn(self.net(xb).squeeze(1), yb)
                loss.backward()
                self.opt.step()
                running += loss.item() * len(xb)
            self.epoch_loss = running / len(self.loader.dataset)
            for cb in self.callbacks:
                cb.on_epoch_end(self, epoch)
        for cb in self.callbacks:
            cb.on_fit_end(self)


torch.manual_seed(0)
data = load_breast_cancer()
x_tr, x_va, y_tr, y_va = train_test_split(data.data, data.target, test_size=0.3, random_state=0, stratify=data.target)
scaler = StandardScaler().fit(x_tr)
to_t = lambda a: torch.tensor(a, dtype=torch.float32)
x_tr, x_va = to_t(scaler.transform(x_tr)), to_t(scaler.transform(x_va))
y_tr, y_va = to_t(y_tr), to_t(y_va)

net = nn.Sequential(
    nn.Linear(30, 64), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(32, 1),
)
loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=32, shuffle=True)
Learner(net, loader, [LossPrinter(), Validation(x_va, y_va)]).fit(20)
