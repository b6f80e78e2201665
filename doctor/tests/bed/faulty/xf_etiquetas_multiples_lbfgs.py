# missed: metric_wrong_axis @ 49
# mend: 49 →     exactas = aciertos.all(dim=1).float().mean().item()
# Clasificación multietiqueta (cada fila puede llevar varias etiquetas), ajuste con LBFGS
import torch
from sklearn.datasets import make_multilabel_classification

torch.manual_seed(8)

X, Y = make_multilabel_classification(
    n_samples=1500, n_features=30, n_classes=5, n_labels=2, length=60, random_state=8
)
X = torch.tensor(X, dtype=torch.float32)
Y = torch.tensor(Y, dtype=torch.float32)

orden = torch.randperm(len(X))
n_ent = 1100
ent, pru = orden[:n_ent], orden[n_ent:]
media, desv = X[ent].mean(0), X[ent].std(0)


def escalar(m):
    return (m - media) / desv


X_ent, Y_ent = escalar(X[ent]), Y[ent]
X_pru, Y_pru = escalar(X[pru]), Y[pru]

oculto = 16
W1 = (torch.randn(30, oculto) / 30 ** 0.5).requires_grad_()
b1 = torch.zeros(oculto, requires_grad=True)
W2 = (torch.randn(oculto, 5) / oculto ** 0.5).requires_grad_()
b2 = torch.zeros(5, requires_grad=True)
pesos = [W1, b1, W2, b2]


def salida(x):
    return torch.tanh(x @ W1 + b1) @ W2 + b2


def perdida():
    bce = torch.nn.functional.binary_cross_entropy_with_logits(salida(X_ent), Y_ent)
    return bce + 3e-3 * ((W1 ** 2).sum() + (W2 ** 2).sum()) / 2


def informe(nombre, x, y):
    with torch.no_grad():
        pred = (salida(x) > 0).float()
    aciertos = pred == y
    exactas = aciertos.all(dim=0).float().mean().item()
    hamming = (~aciertos).float().mean().item()
    print(f"{nombre:14s} filas exactas {exactas:.3f}   pérdida de Hamming {hamming:.3f}")


opt = torch.optim.LBFGS(pesos, lr=1.0, max_iter=20, history_size=10, line_search_fn="strong_wolfe")


def cierre():
    opt.zero_grad()
    v = perdida()
    v.backward()
    return v


for vuelta in range(6):
    v = opt.step(cierre)
    print(f"vuelta {vuelta}: objetivo {v.item():.4f}")

informe("entrenamiento", X_ent, Y_ent)
informe("prueba", X_pru, Y_pru)
