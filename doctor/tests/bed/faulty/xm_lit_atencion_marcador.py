# expect: softmax_wrong_dim @ 34
# needs: lightning
# mend: 34 →         pesos = torch.softmax(e, dim=1)
# Clasificar secuencias por el token que sigue al marcador (pooling por atención)
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
import lightning as L

VOCAB, LARGO, CLASES, MARCA = 24, 14, 6, 0
L.seed_everything(21)


def generar(n, semilla):
    g = torch.Generator().manual_seed(semilla)
    sec = torch.randint(1, VOCAB, (n, LARGO), generator=g)
    pos = torch.randint(0, LARGO - 1, (n,), generator=g)
    etiqueta = torch.arange(n) % CLASES
    filas = torch.arange(n)
    sec[filas, pos] = MARCA
    sec[filas, pos + 1] = 1 + etiqueta + CLASES * torch.randint(0, 3, (n,), generator=g)
    return TensorDataset(sec, etiqueta)


class PoolAtencion(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.puntaje = nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Linear(dim, 1))

    def forward(self, h):
        # h: (lote, tiempo, dim)
        e = self.puntaje(h)
        pesos = torch.softmax(e, dim=0)
        return (pesos * h).sum(dim=1)


class ClasificadorMarca(L.LightningModule):
    def __init__(self, dim=48, lr=4e-3):
        super().__init__()
        self.lr = lr
        self.emb = nn.Embedding(VOCAB, dim)
        self.conv = nn.Conv1d(dim, dim, kernel_size=3, padding=1)
        self.pool = PoolAtencion(dim)
        self.salida = nn.Linear(dim, CLASES)

    def forward(self, x):
        h = self.emb(x).transpose(1, 2)
        h = F.relu(self.conv(h)).transpose(1, 2)
        return self.salida(self.pool(h))

    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.cross_entropy(self(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        logits = self(x)
        self.log("val_loss", F.cross_entropy(logits, y), batch_size=len(y))
        self.log("val_acc", (logits.argmax(dim=1) == y).float().mean(), batch_size=len(y))

    def on_validation_epoch_end(self):
        m = self.trainer.callback_metrics
        print(f"época {self.current_epoch:2d}  val_loss {m['val_loss']:.3f}  val_acc {m['val_acc']:.3f}")

    def configure_optimizers(self):
        opt = torch.optim.AdamW(self.parameters(), lr=self.lr)
        sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=self.trainer.max_epochs)
        return [opt], [sched]


if __name__ == "__main__":
    entreno = DataLoader(generar(1536, 1), batch_size=48, shuffle=True)
    valid = DataLoader(generar(480, 2), batch_size=16)
    trainer = L.Trainer(max_epochs=8, accelerator="cpu", logger=False, enable_checkpointing=False,
                        enable_progress_bar=False, enable_model_summary=False,
                        num_sanity_val_steps=0)
    trainer.fit(ClasificadorMarca(), entreno, valid)
