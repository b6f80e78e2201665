# expect: unscaled_inputs @ 41
# allowed: unscaled_inputs @ 27
# allowed: vanishing_gradient @ 51
# allowed: unscaled_inputs @ 58
# Trabalho prático 1 - Introdução a Redes Neurais
# Dupla: Marina e Caio
# Classificar a cultivar do vinho a partir das 13 medidas químicas.

import pandas as pd
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class VinhoDataset(Dataset):
    """Recebe um DataFrame com as medidas e a coluna 'target'.

    media/desvio vêm sempre do conjunto de treino (ver preparar_dados).
    """

    def __init__(self, tabela, media=None, desvio=None):
        medidas = tabela.drop(columns="target")
        if media is not None:
            medidas = (medidas - media) / desvio
        self.x = torch.tensor(medidas.to_numpy(), dtype=torch.float32)
        self.y = torch.tensor(tabela["target"].to_numpy(), dtype=torch.long)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


def preparar_dados(semente):
    tabela = load_wine(as_frame=True).frame
    treino, teste = train_test_split(tabela, test_size=0.3, stratify=tabela["target"],
                                     random_state=semente)
    return VinhoDataset(treino), VinhoDataset(teste)


class Rede(nn.Module):
    def __init__(self, n_entradas=13, n_ocultos=16, n_classes=3):
        super().__init__()
        self.oculta = nn.Linear(n_entradas, n_ocultos)
        self.saida = nn.Linear(n_ocultos, n_classes)

    def forward(self, x):
        return self.saida(torch.tanh(self.oculta(x)))


class Experimento:
    def __init__(self, semente=0, epocas=20):
        torch.manual_seed(semente)
        self.epocas = epocas
        treino, teste = preparar_dados(semente)
        self.dl_treino = DataLoader(treino, batch_size=16, shuffle=True)
        self.dl_teste = DataLoader(teste, batch_size=64)
        self.rede = Rede()
        self.criterio = nn.CrossEntropyLoss()
        self.otimizador = torch.optim.SGD(self.rede.parameters(), lr=0.05, momentum=0.9)
        self.historico = []

    def epoca(self):
        self.rede.train()
        soma, certos, n = 0.0, 0, 0
        for x, y in self.dl_treino:
            saida = self.rede(x)
            perda = self.criterio(saida, y)
            self.otimizador.zero_grad()
            perda.backward()
            self.otimizador.step()
            soma += perda.item() * len(y)
            certos += (saida.argmax(1) == y).sum().item()
            n += len(y)
        return soma / n, certos / n

    def matriz_confusao(self):
        self.rede.eval()
        m = torch.zeros(3, 3, dtype=torch.long)
        with torch.no_grad():
            for x, y in self.dl_teste:
                for real, previsto in zip(y, self.rede(x).argmax(1)):
                    m[real, previsto] += 1
        return m

    def rodar(self):
        for e in range(1, self.epocas + 1):
            perda, acerto = self.epoca()
            self.historico.append({"época": e, "perda": perda, "acerto": acerto})
        tabela = pd.DataFrame(self.historico).set_index("época")
        print(tabela.iloc[::4].round(4).to_string())
        m = self.matriz_confusao()
        print("matriz de confusão (teste):")
        print(m.numpy())
        print(f"acerto no teste: {m.diag().sum().item() / m.sum().item():.3f}")


if __name__ == "__main__":
    Experimento().rodar()
