# expect: nothing
"""Tutorial: sentiment of short Portuguese reviews with an EmbeddingBag (negativo / neutro / positivo)."""
import random

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

CLASSES = ["negativo", "neutro", "positivo"]
PALAVRAS = {
    0: "pessimo horrivel caro quebrado atrasado ruim decepcionante sujo frio demorado".split(),
    1: "normal razoavel comum mediano aceitavel simples padrao regular".split(),
    2: "otimo excelente rapido bonito adorei perfeito barato gostoso recomendo limpo".split(),
}
NEUTRAS = "o a produto chegou loja comida entrega atendente muito bem hotel quarto foi era com para".split()


class Avaliacoes(Dataset):
    def __init__(self, n, semente):
        sorte = random.Random(semente)
        self.itens = []
        for _ in range(n):
            classe = sorte.randrange(3)
            texto = sorte.choices(NEUTRAS, k=sorte.randint(4, 9)) + sorte.choices(PALAVRAS[classe], k=2)
            if sorte.random() < 0.3:
                texto.append(sorte.choice(PALAVRAS[sorte.randrange(3)]))
            sorte.shuffle(texto)
            self.itens.append((texto, classe))

    def __len__(self):
        return len(self.itens)

    def __getitem__(self, i):
        return self.itens[i]


class Classificador(nn.Module):
    def __init__(self, vocab_size, embed_dim, num_class):
        super().__init__()
        self.embedding = nn.EmbeddingBag(vocab_size, embed_dim, mode="mean")
        self.fc = nn.Linear(embed_dim, num_class)

    def forward(self, text, offsets):
        embedded = self.embedding(text, offsets)
        return self.fc(embedded)


vocab = {p: i for i, p in enumerate(sorted(set(NEUTRAS).union(*PALAVRAS.values())))}


def collate_batch(batch):
    labels, textos, offsets = [], [], [0]
    for texto, classe in batch:
        labels.append(classe)
        ids = torch.tensor([vocab[p] for p in texto])
        textos.append(ids)
        offsets.append(len(ids))
    return torch.tensor(labels), torch.cat(textos), torch.tensor(offsets[:-1]).cumsum(dim=0)


torch.manual_seed(5)
treino, teste = Avaliacoes(1200, semente=1), Avaliacoes(400, semente=2)
train_dataloader = DataLoader(treino, batch_size=32, shuffle=True, collate_fn=collate_batch)
test_dataloader = DataLoader(teste, batch_size=100, collate_fn=collate_batch)
model = Classificador(len(vocab), 32, len(CLASSES))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for epoch in range(1, 9):
    model.train()
    running = 0.0
    for label, text, offsets in train_dataloader:
        optimizer.zero_grad()
        loss = criterion(model(text, offsets), label)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(label)
    print(f"| epoch {epoch} | loss {running / len(treino):.4f}")

model.eval()
certos = 0
with torch.no_grad():
    for label, text, offsets in test_dataloader:
        certos += (model(text, offsets).argmax(1) == label).sum().item()
print(f"acuracia no teste: {certos / len(teste):.3f}")
