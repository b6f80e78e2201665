# expect: grad_cleared_before_step @ 65
# allowed: grad_cleared_before_step @ 66
"""Wine cultivars with a miniature module/trainer pair in the manner of the big trainer libraries."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class WineModule(nn.Module):
    def __init__(self, hidden=32, lr=5e-3):
        super().__init__()
        self.lr = lr
        self.net = nn.Sequential(nn.Linear(13, hidden), nn.GELU(), nn.Dropout(0.1), nn.Linear(hidden, 3))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return {"loss": F.cross_entropy(self(x), y)}

    def validation_step(self, batch, batch_idx):
        x, y = batch
        logits = self(x)
        return {"val_loss": F.cross_entropy(logits, y, reduction="sum"), "hits": (logits.argmax(1) == y).sum(), "n": len(y)}

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.lr)


class Callback:
    def on_train_start(self, trainer, module): ...
    def on_after_backward(self, trainer, module): ...
    def on_epoch_end(self, trainer, module, logs): ...


class GradNorm(Callback):
    def __init__(self):
        self.values = []

    def on_after_backward(self, trainer, module):
        squares = [p.grad.pow(2).sum() for p in module.parameters() if p.grad is not None]
        self.values.append(torch.stack(squares).sum().sqrt().item())


class Printer(Callback):
    def on_epoch_end(self, trainer, module, logs):
        if trainer.epoch % 10 == 9:
            print(f"epoch {trainer.epoch + 1:3d} " + " ".join(f"{k}={v:.3f}" for k, v in logs.items()))


class Trainer:
    def __init__(self, max_epochs, callbacks=()):
        self.max_epochs, self.callbacks, self.epoch = max_epochs, list(callbacks), 0

    def _call(self, name, *args):
        for callback in self.callbacks:
            getattr(callback, name)(self, *args)

    def _optimizer_step(self, optimizer):
        optimizer.zero_grad(set_to_none=True)
        optimizer.step()

    def fit(self, module, train_loader, val_loader):
        optimizer = module.configure_optimizers()
        self._call("on_train_start", module)
        for self.epoch in range(self.max_epochs):
            module.train()
            for idx, batch in enumerate(train_loader):
                out = module.training_step(batch, idx)
                out["loss"].backward()
                self._call("on_after_backward", module)
                self._optimizer_step(optimizer)
            self._call("on_epoch_end", module, self.validate(module, val_loader))

    @torch.no_grad()
    def validate(self, module, loader):
        module.eval()
        outs = [module.validation_step(batch, i) for i, batch in enumerate(loader)]
        n = sum(o["n"] for o in outs)
        return {"val_loss": sum(o["val_loss"].item() for o in outs) / n, "val_acc": sum(o["hits"].item() for o in outs) / n}


def main():
    torch.manual_seed(3)
    X, y = load_wine(return_X_y=True)
    X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.3, stratify=y, random_state=3)
    scaler = StandardScaler().fit(X_train)
    as_set = lambda a, b: TensorDataset(torch.tensor(scaler.transform(a), dtype=torch.float32), torch.tensor(b))
    norms = GradNorm()
    trainer = Trainer(max_epochs=30, callbacks=[norms, Printer()])
    trainer.fit(WineModule(), DataLoader(as_set(X_train, y_train), 16, shuffle=True), DataLoader(as_set(X_val, y_val), 54))
    print(f"mean gradient norm, first and last ten steps: {sum(norms.values[:10]) / 10:.3f} {sum(norms.values[-10:]) / 10:.3f}")


if __name__ == "__main__":
    main()
