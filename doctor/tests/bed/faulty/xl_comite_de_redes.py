# expect: no_step @ 45
# allowed: no_step @ 41
# allowed: no_step @ 42
# allowed: no_step @ 44
# mend: 45 →                 otim.step()
# Comitê de redes (ensemble) sobre o conjunto de câncer de mama
import torch
from torch import nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

N_REDES = 5
EPOCAS = 25


def preparar():
    X, y = load_breast_cancer(return_X_y=True)
    Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.3, random_state=3, stratify=y)
    escala = StandardScaler()
    Xa = torch.tensor(escala.fit_transform(Xa), dtype=torch.float32)
    Xb = torch.tensor(escala.transform(Xb), dtype=torch.float32)
    return Xa, Xb, torch.tensor(ya), torch.tensor(yb)


def nova_rede(d):
    return nn.Sequential(
        nn.Linear(d, 16), nn.ReLU(),
        nn.Linear(16, 2),
    )


def treinar_comite(redes, otimizadores, lote):
    criterio = nn.CrossEntropyLoss()
    for rede in redes:
        rede.train()
    for epoca in range(EPOCAS):
        total = 0.0
        for xb, yb in lote:
            for rede, otim in zip(redes, otimizadores):
                otim.zero_grad()
                perda = criterio(rede(xb), yb)
                perda.backward()
            otim.step()
            total += perda.item()
        if (epoca + 1) % 5 == 0:
            print(f"época {epoca + 1}: perda {total / len(lote):.4f}")


def votar(redes, X):
    probs = []
    with torch.no_grad():
        for rede in redes:
            rede.eval()
            probs.append(rede(X).softmax(dim=1))
    return torch.stack(probs)


def main():
    torch.manual_seed(5)
    Xa, Xb, ya, yb = preparar()
    lote = DataLoader(TensorDataset(Xa, ya), batch_size=32, shuffle=True)
    redes = [nova_rede(Xa.shape[1]) for _ in range(N_REDES)]
    otimizadores = [torch.optim.Adam(r.parameters(), lr=3e-3) for r in redes]
    treinar_comite(redes, otimizadores, lote)

    probs = votar(redes, Xb)
    for k in range(N_REDES):
        print(f"rede {k}: acurácia {(probs[k].argmax(1) == yb).float().mean():.3f}")
    print(f"comitê: acurácia {(probs.mean(0).argmax(1) == yb).float().mean():.3f}")


if __name__ == "__main__":
    main()
