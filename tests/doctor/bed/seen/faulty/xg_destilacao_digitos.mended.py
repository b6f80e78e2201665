# expect: nothing
# Destilação de conhecimento: professor convolucional -> aluno pequeno
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(2023)

T = 3.0
ALFA = 0.6


def carregar():
    d = load_digits()
    x = torch.tensor(d.images, dtype=torch.float32).unsqueeze(1) / 16.0
    y = torch.tensor(d.target)
    i_tr, i_te = train_test_split(range(len(y)), test_size=0.25,
                                  stratify=d.target, random_state=0)
    treino = TensorDataset(x[i_tr], y[i_tr])
    teste = TensorDataset(x[i_te], y[i_te])
    return (DataLoader(treino, batch_size=64, shuffle=True),
            DataLoader(teste, batch_size=128))


class Professor(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 12, 3, padding=1)
        self.c2 = nn.Conv2d(12, 24, 3, padding=1)
        self.fc = nn.Linear(24 * 4 * 4, 10)

    def forward(self, x):
        x = F.relu(self.c1(x))
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        return self.fc(F.dropout(x.flatten(1), 0.3, self.training))


def aluno_novo():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.ReLU(),
                         nn.Linear(20, 10))


@torch.no_grad()
def avaliar(modelo, loader):
    modelo.eval()
    acertos, perda, total = 0, 0.0, 0
    for x, y in loader:
        saida = modelo(x)
        perda += F.cross_entropy(saida, y, reduction="sum").item()
        acertos += (saida.argmax(1) == y).sum().item()
        total += len(y)
    return perda / total, acertos / total


def treinar_professor(modelo, loader, epocas=8):
    otim = torch.optim.Adam(modelo.parameters(), lr=3e-3)
    for _ in range(epocas):
        modelo.train()
        for x, y in loader:
            otim.zero_grad()
            F.cross_entropy(modelo(x), y).backward()
            otim.step()


def destilar(professor, aluno, loader, epocas=20):
    otim = torch.optim.Adam(aluno.parameters(), lr=3e-3)
    professor.eval()
    for ep in range(epocas):
        aluno.train()
        for x, y in loader:
            with torch.no_grad():
                alvo = F.softmax(professor(x) / T, dim=1)
            z = aluno(x)
            suave = F.kl_div(F.log_softmax(z / T, dim=1), alvo,
                             reduction="batchmean") * T * T
            perda = ALFA * suave + (1 - ALFA) * F.cross_entropy(z, y)
            otim.zero_grad()
            perda.backward()
            otim.step()
        if (ep + 1) % 5 == 0:
            print(f"época {ep + 1:2d}  perda do último lote {perda.item():.4f}")


if __name__ == "__main__":
    treino, teste = carregar()
    prof = Professor()
    treinar_professor(prof, treino)
    print("professor: perda %.4f  acurácia %.4f" % avaliar(prof, teste))
    aluno = aluno_novo()
    destilar(prof, aluno, treino)
    print("aluno:     perda %.4f  acurácia %.4f" % avaliar(aluno, teste))
