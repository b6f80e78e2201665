# expect: nothing
# needs: lightning
# Leistung eines Windparks aus Wetterdaten (erzeugte Tabelle), trainiert mit Lightning.
import logging
import warnings

import lightning as L
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
L.seed_everything(9, verbose=False)
g = np.random.default_rng(9)

n = 1200
wetter = pd.DataFrame({
    "wind": g.weibull(2.0, n) * 9,
    "richtung": g.uniform(0, 2 * np.pi, n),
    "druck": g.normal(1013, 9, n),
    "temp": g.normal(11, 7, n),
})
leistung = 50 / (1 + np.exp(-(wetter["wind"] - 9) / 1.8)) * (1 + 0.15 * np.cos(wetter["richtung"]))
leistung += 0.1 * (wetter["druck"] - 1013) + g.normal(0, 1.5, n)
wetter["sin"], wetter["cos"] = np.sin(wetter["richtung"]), np.cos(wetter["richtung"])
wetter = wetter.drop(columns="richtung")

xa, xt, ya, yt = train_test_split(wetter.to_numpy(), leistung.to_numpy(), test_size=0.3, random_state=9)
xs, ys = StandardScaler().fit(xa), StandardScaler().fit(ya[:, None])


def satz(x, y):
    return TensorDataset(
        torch.tensor(xs.transform(x), dtype=torch.float32),
        torch.tensor(ys.transform(y[:, None]), dtype=torch.float32),
    )


class Park(L.LightningModule):
    def __init__(self, n_ein, rate=0.05):
        super().__init__()
        self.rate = rate
        self.netz = nn.Sequential(nn.Linear(n_ein, 32), nn.Tanh(), nn.Linear(32, 1))
        self.verlauf, self._summe = [], []
        self.test_fehler = []

    def training_step(self, batch, _):
        x, y = batch
        verlust = nn.functional.mse_loss(self.netz(x), y)
        self._summe.append(verlust.item())
        return verlust

    def on_train_epoch_end(self):
        self.verlauf.append(float(np.mean(self._summe)))
        self._summe.clear()

    def test_step(self, batch, _):
        x, y = batch
        self.test_fehler.append((self.netz(x) - y).flatten())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.rate, momentum=0.9)


EINSTELLUNG = dict(
    max_epochs=10,
    accelerator="cpu",
    gradient_clip_val=1.0,
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)

modell = Park(xa.shape[1])
trainer = L.Trainer(**EINSTELLUNG)
trainer.fit(modell, DataLoader(satz(xa, ya), batch_size=50, shuffle=True))
print("Verlust je drei Epochen:", [round(v, 4) for v in modell.verlauf[::3]])

trainer.test(modell, DataLoader(satz(xt, yt), batch_size=150), verbose=False)
fehler = torch.cat(modell.test_fehler) * float(ys.scale_[0])
print(f"Test: RMSE {fehler.pow(2).mean().sqrt():.2f} MW (Streuung der Leistung {yt.std():.2f} MW)")
