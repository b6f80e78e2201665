# expect: class_imbalance @ 56
# allowed: class_imbalance @ 49
# allowed: class_imbalance @ 58
# Detección de operaciones fraudulentas (datos sintéticos)
import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def cargar(semilla):
    X, y = make_classification(
        n_samples=6000, n_features=15, n_informative=6, n_redundant=2, n_clusters_per_class=1,
        weights=[0.97, 0.03], class_sep=0.6, flip_y=0.0, random_state=semilla)
    X_e, X_p, y_e, y_p = train_test_split(X, y, test_size=0.3, stratify=y, random_state=semilla)
    esc = StandardScaler()
    X_e, X_p = esc.fit_transform(X_e), esc.transform(X_p)
    t = lambda a: torch.tensor(np.asarray(a), dtype=torch.float32)
    return t(X_e), t(y_e), t(X_p), t(y_p)


def crear_red(d):
    return nn.Sequential(nn.Linear(d, 16), nn.ReLU(), nn.Linear(16, 1))


def entrenar(red, X, y, epocas, perdida):
    datos = DataLoader(TensorDataset(X, y), batch_size=128, shuffle=True)
    opt = torch.optim.Adam(red.parameters(), lr=2e-3, weight_decay=1e-4)
    for ep in range(epocas):
        red.train()
        acumulado = 0.0
        for xb, yb in datos:
            opt.zero_grad()
            l = perdida(red(xb).squeeze(1), yb)
            l.backward()
            opt.step()
            acumulado += l.item() * len(yb)
        if ep % 3 == 2:
            print(f"época {ep + 1}: pérdida {acumulado / len(X):.4f}")


def evaluar(red, X, y):
    red.eval()
    with torch.no_grad():
        pred = (red(X).squeeze(1) > 0).float()
    return (pred == y).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(SEM := 8)
    X_e, y_e, X_p, y_p = cargar(SEM)
    red = crear_red(X_e.shape[1])
    perdida = nn.BCEWithLogitsLoss()
    entrenar(red, X_e, y_e, 12, perdida)
    print(f"exactitud en prueba: {evaluar(red, X_p, y_p):.4f}")
