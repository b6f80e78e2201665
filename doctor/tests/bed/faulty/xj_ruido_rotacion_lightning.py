# expect: augment_on_test @ 49
# allowed: augment_on_test @ 39
# allowed: augment_on_test @ 55
# needs: lightning
# mend: 49 →         self.prueba = Digitos(forma(Xp), torch.tensor(yp))
import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", message=".*num_workers.*")


def desplazar_y_ruido(img):
    dy, dx = torch.randint(-1, 2, (2,)).tolist()
    img = torch.roll(img, (dy, dx), dims=(1, 2))
    return img + 0.25 * torch.randn_like(img)


class Digitos(Dataset):
    def __init__(self, imagenes, etiquetas, transformar=None):
        self.imagenes = imagenes
        self.etiquetas = etiquetas
        self.transformar = transformar

    def __len__(self):
        return len(self.etiquetas)

    def __getitem__(self, i):
        img = self.imagenes[i]
        if self.transformar is not None:
            img = self.transformar(img)
        return img, self.etiquetas[i]


class DatosDigitos(L.LightningDataModule):
    def setup(self, stage=None):
        X, y = load_digits(return_X_y=True)
        Xa, Xp, ya, yp = train_test_split(X, y, test_size=0.25, stratify=y, random_state=2)
        forma = lambda a: torch.tensor(a / 16.0, dtype=torch.float32).view(-1, 1, 8, 8)
        self.entreno = Digitos(forma(Xa), torch.tensor(ya), desplazar_y_ruido)
        self.prueba = Digitos(forma(Xp), torch.tensor(yp), desplazar_y_ruido)

    def train_dataloader(self):
        return DataLoader(self.entreno, batch_size=64, shuffle=True)

    def test_dataloader(self):
        return DataLoader(self.prueba, batch_size=128)


class Clasificador(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.red = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(256, 10))

    def forward(self, x):
        return self.red(x)

    def training_step(self, lote, _):
        x, y = lote
        perdida = F.cross_entropy(self(x), y)
        self.log("entreno", perdida, on_epoch=True, on_step=False)
        return perdida

    def test_step(self, lote, _):
        x, y = lote
        salida = self(x)
        self.log("prueba_perdida", F.cross_entropy(salida, y))
        self.log("prueba_acc", (salida.argmax(1) == y).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=2e-3)


if __name__ == "__main__":
    L.seed_everything(2, verbose=False)
    datos = DatosDigitos()
    modelo = Clasificador()
    entrenador = L.Trainer(max_epochs=12, accelerator="cpu", logger=False,
                           enable_checkpointing=False, enable_progress_bar=False,
                           enable_model_summary=False)
    entrenador.fit(modelo, datos)
    print(f"entreno: {entrenador.callback_metrics['entreno'].item():.4f}")
    res = entrenador.test(modelo, datos, verbose=False)[0]
    print({k: round(v, 4) for k, v in res.items()})
