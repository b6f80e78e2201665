# expect: nothing
# Zeitreihe mit GRU vorhersagen, im Stil eines Lehrbuchs: Datenmodul, Modell, Trainer
import torch
from torch import nn
from torch.utils import data


class HyperParameter:
    def __init__(self, **kw):
        self.__dict__.update(kw)


class SinusDaten:
    """x_t = sin(0.02 t) + Rauschen; tau vergangene Werte sagen den naechsten voraus"""

    def __init__(self, T=1400, num_train=900, num_val=200, tau=8, batch_size=32):
        self.tau, self.batch_size = tau, batch_size
        zeit = torch.arange(1, T + 1, dtype=torch.float32)
        self.x = torch.sin(0.05 * zeit) + 0.5 * torch.cos(0.17 * zeit) + torch.randn(T) * 0.1
        self.train = self._fenster(self.x[:num_train])
        self.val = self._fenster(self.x[num_train:num_train + num_val])
        self.test = self._fenster(self.x[num_train + num_val:])

    def _fenster(self, x):
        merkmale = x.unfold(0, self.tau, 1)[:-1].unsqueeze(-1)
        ziele = x[self.tau:].reshape(-1, 1)
        return data.TensorDataset(merkmale, ziele)

    def lader(self, teil):
        satz = getattr(self, teil)
        return data.DataLoader(satz, self.batch_size, shuffle=teil == "train")


class GRUModell(nn.Module):
    def __init__(self, num_hiddens):
        super().__init__()
        self.rnn = nn.GRU(1, num_hiddens, batch_first=True)
        self.net = nn.Linear(num_hiddens, 1)

    def forward(self, X, H=None):
        ausgabe, H = self.rnn(X, H)
        return self.net(ausgabe[:, -1])

    def loss(self, y_hat, y):
        return ((y_hat - y) ** 2 / 2).mean()

    def configure_optimizers(self, lr):
        return torch.optim.Adam(self.parameters(), lr=lr)


class Trainer:
    def __init__(self, max_epochs, lr, gradient_clip_val=0):
        self.hp = HyperParameter(max_epochs=max_epochs, lr=lr, clip=gradient_clip_val)

    def fit(self, modell, daten):
        optim = modell.configure_optimizers(self.hp.lr)
        for epoche in range(self.hp.max_epochs):
            modell.train()
            summe = n = 0
            for X, y in daten.lader("train"):
                loss = modell.loss(modell(X), y)
                optim.zero_grad()
                loss.backward()
                if self.hp.clip > 0:
                    nn.utils.clip_grad_norm_(modell.parameters(), self.hp.clip)
                optim.step()
                summe += float(loss.detach()) * len(y)
                n += len(y)
            print(f"Epoche {epoche + 1}: train {summe / n:.5f}, val {self.evaluate(modell, daten, 'val'):.5f}")

    @torch.no_grad()
    def evaluate(self, modell, daten, teil):
        modell.eval()
        summe = n = 0
        for X, y in daten.lader(teil):
            summe += float(modell.loss(modell(X), y)) * len(y)
            n += len(y)
        return summe / n


@torch.no_grad()
def mehrschritt(modell, start, schritte):
    modell.eval()
    folge = start.clone()
    for _ in range(schritte):
        naechster = modell(folge[:, -start.shape[1]:])
        folge = torch.cat([folge, naechster.unsqueeze(-1)], dim=1)
    return folge[:, start.shape[1]:, 0]


torch.manual_seed(0)
daten = SinusDaten()
modell = GRUModell(num_hiddens=32)
trainer = Trainer(max_epochs=12, lr=0.005, gradient_clip_val=1)
trainer.fit(modell, daten)
print(f"Test (halber quadratischer Fehler): {trainer.evaluate(modell, daten, 'test'):.5f}")

x_test, _ = daten.test.tensors
ziel = daten.x[-len(x_test):]
for k in (1, 4):
    vorher = mehrschritt(modell, x_test[: len(x_test) - k], k)[:, -1]
    fehler = (vorher - ziel[k - 1: k - 1 + len(vorher)]).pow(2).mean().sqrt()
    print(f"{k}-Schritt-Vorhersage, RMSE {fehler:.3f}")
