# expect: label_misaligned @ 89
# allowed: label_misaligned @ 69
# allowed: label_misaligned @ 92
# Destilação: professor grande -> aluno pequeno, com rótulos suaves guardados em memória
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

TEMPERATURA = 3.0
LOTE = 64


def carregar(semente=5):
    X, y = load_digits(return_X_y=True)
    X_tr, X_te, y_tr, y_te = train_test_split(
        X, y, test_size=0.3, stratify=y, random_state=semente)
    escala = StandardScaler().fit(X_tr)
    tensor = lambda a: torch.tensor(escala.transform(a), dtype=torch.float32)
    return tensor(X_tr), torch.tensor(y_tr), tensor(X_te), torch.tensor(y_te)


def mlp(*larguras):
    camadas = []
    for a, b in zip(larguras[:-2], larguras[1:-1]):
        camadas += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*camadas, nn.Linear(larguras[-2], larguras[-1]))


class Destilado(Dataset):
    """Pares (imagem, probabilidades do professor)."""

    def __init__(self, x, suaves):
        assert len(x) == len(suaves)
        self.x, self.suaves = x, suaves

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.suaves[i]


def treinar(rede, carregador, perda, epocas, lr):
    otim = torch.optim.Adam(rede.parameters(), lr=lr)
    rede.train()
    for ep in range(epocas):
        soma = 0.0
        for x, alvo in carregador:
            otim.zero_grad()
            custo = perda(rede(x), alvo)
            custo.backward()
            otim.step()
            soma += custo.item()
        print(f"  época {ep}: {soma / len(carregador):.4f}")


def perda_destilacao(logits, suaves):
    log_p = F.log_softmax(logits / TEMPERATURA, dim=1)
    return F.kl_div(log_p, suaves, reduction="batchmean") * TEMPERATURA ** 2


@torch.no_grad()
def rotulos_suaves(professor, carregador):
    professor.eval()
    partes = [F.softmax(professor(x) / TEMPERATURA, dim=1) for x, _ in carregador]
    return torch.cat(partes)


@torch.no_grad()
def acerto(rede, x, y):
    rede.eval()
    return (rede(x).argmax(1) == y).float().mean().item()


def main():
    torch.manual_seed(5)
    x_tr, y_tr, x_te, y_te = carregar()
    base = TensorDataset(x_tr, y_tr)
    carregador = DataLoader(base, batch_size=LOTE, shuffle=True)

    professor = mlp(64, 128, 128, 10)
    print("professor")
    treinar(professor, carregador, F.cross_entropy, epocas=6, lr=2e-3)

    suaves = rotulos_suaves(professor, carregador)
    aluno = mlp(64, 24, 10)
    print("aluno")
    pares = DataLoader(Destilado(x_tr, suaves), batch_size=LOTE, shuffle=True)
    treinar(aluno, pares, perda_destilacao, epocas=12, lr=4e-3)

    print(f"teste: professor {acerto(professor, x_te, y_te):.3f}  aluno {acerto(aluno, x_te, y_te):.3f}")


if __name__ == "__main__":
    main()
