# expect: graph_kept_alive @ 31
# needs: lightning
# mend: 31 →         self.saidas_treino.append(y_prev.detach())
# Regressão com Lightning: guarda as saídas do treino para calcular R2 no fim da época
import torch
from torch import nn
import lightning as L
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset


class Regressor(L.LightningModule):
    def __init__(self, n_colunas, oculta=32):
        super().__init__()
        self.rede = nn.Sequential(nn.Linear(n_colunas, oculta), nn.SiLU(),
                                  nn.Dropout(0.1), nn.Linear(oculta, 1))
        self.perda = nn.SmoothL1Loss()
        self.saidas_treino, self.alvos_treino = [], []
        self.saidas_val, self.alvos_val = [], []

    def forward(self, x):
        return self.rede(x).squeeze(-1)

    def training_step(self, lote, indice):
        x, y = lote
        y_prev = self(x)
        perda = self.perda(y_prev, y)
        self.saidas_treino.append(y_prev)
        self.alvos_treino.append(y)
        return perda

    def validation_step(self, lote, indice):
        x, y = lote
        self.saidas_val.append(self(x))
        self.alvos_val.append(y)

    def on_train_epoch_end(self):
        with torch.no_grad():
            treino = r2_score(torch.cat(self.alvos_treino).numpy(),
                              torch.cat(self.saidas_treino).numpy())
        valid = r2_score(torch.cat(self.alvos_val).numpy(), torch.cat(self.saidas_val).numpy())
        if self.current_epoch % 3 == 2:
            print(f"época {self.current_epoch + 1:2d}  R2 treino {treino:.3f}  R2 validação {valid:.3f}")
        for lista in (self.saidas_treino, self.alvos_treino, self.saidas_val, self.alvos_val):
            lista.clear()

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=8e-3, weight_decay=1e-4)


def preparar():
    X, y = load_diabetes(return_X_y=True)
    X_tr, X_va, y_tr, y_va = train_test_split(X, y, test_size=0.25, random_state=31)
    ex = StandardScaler().fit(X_tr)
    ey = StandardScaler().fit(y_tr[:, None])

    def tensores(a, b):
        return TensorDataset(torch.tensor(ex.transform(a), dtype=torch.float32),
                             torch.tensor(ey.transform(b[:, None])[:, 0], dtype=torch.float32))
    return tensores(X_tr, y_tr), tensores(X_va, y_va)


if __name__ == "__main__":
    L.seed_everything(31)
    treino, valid = preparar()
    trainer = L.Trainer(max_epochs=15, accelerator="cpu", logger=False, enable_checkpointing=False,
                        enable_progress_bar=False, enable_model_summary=False,
                        num_sanity_val_steps=0)
    trainer.fit(Regressor(10),
                DataLoader(treino, batch_size=32, shuffle=True),
                DataLoader(valid, batch_size=64))
