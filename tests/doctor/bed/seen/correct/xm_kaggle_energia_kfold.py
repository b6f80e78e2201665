# expect: nothing
# # Demanda eléctrica de edificios: MLP con embeddings, 5 folds y parada temprana
# El test se toca una sola vez, al final, con la media de los cinco modelos.

import copy

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.model_selection import KFold, train_test_split
from torch.utils.data import DataLoader, TensorDataset


class CFG:
    seed = 77
    folds = 5
    epochs = 14
    patience = 4
    batch_size = 128
    lr = 5e-3
    weight_decay = 1e-4


NUM = ["superficie", "antiguedad", "temp_ext", "ocupacion"]
np.random.seed(CFG.seed)
torch.manual_seed(CFG.seed)


def make_table(n=2000):
    df = pd.DataFrame({
        "superficie": np.random.lognormal(6.5, 0.5, n),
        "antiguedad": np.random.uniform(0, 70, n),
        "temp_ext": np.random.uniform(-5, 38, n),
        "ocupacion": np.random.beta(3, 2, n),
        "uso": np.random.randint(0, 6, n),
    })
    por_uso = np.array([0.8, 1.0, 1.4, 2.1, 0.6, 1.2])[df.uso]
    clima = 1 + 0.03 * np.maximum(0, 16 - df.temp_ext) + 0.045 * np.maximum(0, df.temp_ext - 24)
    df["kwh"] = 0.05 * df.superficie * por_uso * clima * (0.4 + df.ocupacion) * (1 + df.antiguedad / 150)
    df["kwh"] *= np.random.lognormal(0, 0.06, n)
    df["superficie"] = np.log(df.superficie)
    return df


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(6, 4)
        self.mlp = nn.Sequential(nn.Linear(len(NUM) + 4, 64), nn.GELU(), nn.Linear(64, 32), nn.GELU(), nn.Linear(32, 1))

    def forward(self, num, uso):
        return self.mlp(torch.cat([num, self.emb(uso)], dim=1)).squeeze(1)


def to_tensors(df, stats):
    num = torch.tensor(((df[NUM] - stats["mean"]) / stats["std"]).to_numpy(), dtype=torch.float32)
    return num, torch.tensor(df["uso"].to_numpy())


def target(df, stats):
    z = (np.log(df["kwh"]) - stats["y_mean"]) / stats["y_std"]
    return torch.tensor(z.to_numpy(), dtype=torch.float32)


def predict(model, df, stats):
    model.eval()
    with torch.no_grad():
        return model(*to_tensors(df, stats)).numpy() * stats["y_std"] + stats["y_mean"]


def run_fold(fold, tr, va):
    logy = np.log(tr["kwh"])
    stats = {"mean": tr[NUM].mean(), "std": tr[NUM].std(), "y_mean": logy.mean(), "y_std": logy.std()}
    loader = DataLoader(TensorDataset(*to_tensors(tr, stats), target(tr, stats)),
                        batch_size=CFG.batch_size, shuffle=True)
    model = Net()
    opt = torch.optim.AdamW(model.parameters(), lr=CFG.lr, weight_decay=CFG.weight_decay)
    best, best_state, wait = float("inf"), None, 0
    for epoch in range(CFG.epochs):
        model.train()
        for num, uso, y in loader:
            opt.zero_grad()
            loss = nn.functional.mse_loss(model(num, uso), y)
            loss.backward()
            opt.step()
        score = float(np.sqrt(np.mean((predict(model, va, stats) - np.log(va["kwh"])) ** 2)))
        if score < best:
            best, best_state, wait = score, copy.deepcopy(model.state_dict()), 0
        else:
            wait += 1
            if wait >= CFG.patience:
                break
    model.load_state_dict(best_state)
    print(f"fold {fold}: mejor rmse(log) en validación {best:.4f} ({epoch + 1} épocas)")
    return model, stats


full = make_table()
train_df, test_df = train_test_split(full, test_size=0.2, random_state=CFG.seed)
models = []
kf = KFold(n_splits=CFG.folds, shuffle=True, random_state=CFG.seed)
for fold, (i, j) in enumerate(kf.split(train_df)):
    models.append(run_fold(fold, train_df.iloc[i], train_df.iloc[j]))

blend = np.mean([predict(m, test_df, s) for m, s in models], axis=0)
rmsle = np.sqrt(np.mean((blend - np.log(test_df["kwh"])) ** 2))
constant = np.sqrt(np.mean((np.log(train_df["kwh"]).mean() - np.log(test_df["kwh"])) ** 2))
print(f"test rmse(log) {rmsle:.4f}, constante {constant:.4f}")
