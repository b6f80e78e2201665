# expect: metric_wrong_axis @ 24
# allowed: metric_wrong_axis @ 25
# mend: 24 →         vorhersage = logits.argmax(dim=1)
# Kleines Callback-System fuer die Ziffern-Klassifikation
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class Callback:
    def on_epoch_begin(self, run): pass
    def on_batch_end(self, run, logits, ziel): pass
    def on_epoch_end(self, run): pass


class Genauigkeit(Callback):
    """Trefferquote je Phase."""

    def on_epoch_begin(self, run):
        self.treffer, self.anzahl = 0, 0

    def on_batch_end(self, run, logits, ziel):
        vorhersage = logits.argmax(dim=1, keepdim=True)
        self.treffer += (vorhersage == ziel).float().mean().item() * len(ziel)
        self.anzahl += len(ziel)

    def on_epoch_end(self, run):
        run.protokoll[run.phase + "_acc"] = self.treffer / self.anzahl


class Verlust(Callback):
    def on_epoch_begin(self, run):
        self.summe, self.n = 0.0, 0

    def on_batch_end(self, run, logits, ziel):
        self.summe += run.loss.item() * len(ziel)
        self.n += len(ziel)

    def on_epoch_end(self, run):
        run.protokoll[run.phase + "_loss"] = self.summe / self.n


class Lauf:
    def __init__(self, netz, opt, callbacks):
        self.netz, self.opt, self.callbacks = netz, opt, callbacks
        self.kriterium = nn.CrossEntropyLoss()
        self.protokoll = {}

    def rufe(self, name, *args):
        for cb in self.callbacks:
            getattr(cb, name)(self, *args)

    def phase_fahren(self, phase, lader):
        self.phase = phase
        lernen = phase == "train"
        self.netz.train(lernen)
        self.rufe("on_epoch_begin")
        with torch.set_grad_enabled(lernen):
            for x, y in lader:
                logits = self.netz(x)
                self.loss = self.kriterium(logits, y)
                if lernen:
                    self.opt.zero_grad()
                    self.loss.backward()
                    self.opt.step()
                self.rufe("on_batch_end", logits.detach(), y)
        self.rufe("on_epoch_end")


def main():
    torch.manual_seed(5)
    X, y = load_digits(return_X_y=True)
    X = torch.tensor(X / 16.0, dtype=torch.float32)
    y = torch.tensor(y)
    tr, te = train_test_split(range(len(y)), test_size=0.2, random_state=5, stratify=y)
    mach = lambda i, s: torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(X[i], y[i]), batch_size=64, shuffle=s)
    lader = {"train": mach(tr, True), "test": mach(te, False)}

    netz = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10))
    lauf = Lauf(netz, torch.optim.Adam(netz.parameters(), lr=2e-3), [Verlust(), Genauigkeit()])
    for epoche in range(15):
        lauf.phase_fahren("train", lader["train"])
        p = lauf.protokoll
        print(f"Epoche {epoche:2d}  Verlust {p['train_loss']:.4f}  Quote {p['train_acc']:.3f}")
    lauf.phase_fahren("test", lader["test"])
    print(f"Test: Verlust {p['test_loss']:.4f}  Quote {p['test_acc']:.3f}")


main()
