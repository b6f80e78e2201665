# expect: detached_graph @ 56
# needs: lightning
# mend: 56 →         junto = torch.cat([a, b], dim=1)
# Fusión de imagen (parche 10x10) y tabla (6 columnas) para decidir el tipo de defecto
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import lightning as L
from torch.utils.data import DataLoader, TensorDataset

L.seed_everything(17)
TIPOS = 4


def simular(n, semilla):
    rng = np.random.default_rng(semilla)
    y = rng.permutation(np.arange(n) % TIPOS)
    img = rng.normal(0, 0.6, size=(n, 1, 10, 10))
    for i, t in enumerate(y):
        f, c = rng.integers(0, 7, size=2)
        if t % 2 == 0:
            img[i, 0, f, c:c + 4] += 2.2      # raya horizontal
        else:
            img[i, 0, f:f + 4, c] += 2.2      # raya vertical
    tabla = rng.normal(size=(n, 6))
    tabla[:, 2] += 2.0 * (y >= 2) - 1.0
    tabla[:, 4] -= 2.0 * (y >= 2) - 1.0
    return TensorDataset(torch.tensor(img, dtype=torch.float32),
                         torch.tensor(tabla, dtype=torch.float32), torch.tensor(y))


class RamaImagen(nn.Module):
    def __init__(self, dim=6):
        super().__init__()
        self.c1 = nn.Conv2d(1, 12, 3, padding=1)
        self.c2 = nn.Conv2d(12, 16, 3, padding=1)
        self.fc = nn.Linear(16, dim)

    def forward(self, x):
        x = F.relu(self.c1(x))
        x = F.relu(self.c2(x))
        return self.fc(x.amax(dim=(2, 3)))


class Fusion(L.LightningModule):
    def __init__(self, dim=6):
        super().__init__()
        self.imagen = RamaImagen(dim)
        self.tabla = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, dim))
        self.cabeza = nn.Sequential(nn.Linear(2 * dim, 32), nn.ReLU(), nn.Linear(32, TIPOS))

    def forward(self, img, tab):
        a = self.imagen(img)
        b = self.tabla(tab)
        junto = torch.cat([torch.tensor(a.tolist()), b], dim=1)
        return self.cabeza(junto)

    def training_step(self, batch, idx):
        img, tab, y = batch
        loss = F.cross_entropy(self(img, tab), y)
        self.log("loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, idx):
        img, tab, y = batch
        salida = self(img, tab)
        self.log("val_loss", F.cross_entropy(salida, y), batch_size=len(y))
        self.log("val_acc", (salida.argmax(1) == y).float().mean(), batch_size=len(y))

    def on_train_epoch_end(self):
        m = {k: round(float(v), 3) for k, v in self.trainer.callback_metrics.items()}
        print(f"época {self.current_epoch:2d}", m)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=4e-3)


entreno = DataLoader(simular(1200, 1), batch_size=40, shuffle=True)
valid = DataLoader(simular(400, 2), batch_size=200)
trainer = L.Trainer(max_epochs=7, accelerator="cpu", logger=False, enable_checkpointing=False,
                    enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0)
trainer.fit(Fusion(), entreno, valid)
