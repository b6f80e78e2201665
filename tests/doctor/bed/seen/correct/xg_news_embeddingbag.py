# expect: nothing
# Noticias cortas en cuatro secciones: EmbeddingBag con desplazamientos,
# división entreno / validación / prueba
import random

import torch
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.data.dataset import random_split

random.seed(0)
torch.manual_seed(0)

TEMAS = [
    "gobierno tratado embajada ministro frontera elecciones".split(),
    "partido gol liga entrenador torneo medalla".split(),
    "bolsa banco acciones mercado inflacion ventas".split(),
    "chip satelite software robot laboratorio red".split(),
]
RELLENO = "el la de en un con segun ayer nuevo tras para dijo anuncia semana pais ciudad gran".split()


def noticia(tema):
    palabras = random.choices(RELLENO, k=random.randint(6, 14))
    palabras += random.choices(TEMAS[tema], k=random.randint(1, 3))
    if random.random() < 0.3:
        palabras.append(random.choice(TEMAS[random.randrange(4)]))
    random.shuffle(palabras)
    return " ".join(palabras)


def corpus(n):
    filas = [(i % 4 + 1, noticia(i % 4)) for i in range(n)]
    random.shuffle(filas)
    return filas


entreno_total, prueba = corpus(1600), corpus(400)
n_entreno = int(len(entreno_total) * 0.95)
entreno, valida = random_split(entreno_total, [n_entreno, len(entreno_total) - n_entreno])
vocab = {"<unk>": 0}
for _, texto in entreno:
    for p in texto.split():
        vocab.setdefault(p, len(vocab))


def text_pipeline(texto):
    return [vocab.get(p, 0) for p in texto.split()]


def label_pipeline(etiqueta):
    return int(etiqueta) - 1


def collate_batch(lote):
    etiquetas, textos, offsets = [], [], [0]
    for etiqueta, texto in lote:
        etiquetas.append(label_pipeline(etiqueta))
        ids = torch.tensor(text_pipeline(texto), dtype=torch.int64)
        textos.append(ids)
        offsets.append(ids.size(0))
    return torch.tensor(etiquetas), torch.cat(textos), torch.tensor(offsets[:-1]).cumsum(dim=0)


class TextClassificationModel(nn.Module):
    def __init__(self, vocab_size, embed_dim, num_class):
        super().__init__()
        self.embedding = nn.EmbeddingBag(vocab_size, embed_dim)
        self.fc = nn.Linear(embed_dim, num_class)
        self.embedding.weight.data.uniform_(-0.5, 0.5)
        self.fc.weight.data.uniform_(-0.5, 0.5)
        self.fc.bias.data.zero_()

    def forward(self, texto, offsets):
        return self.fc(self.embedding(texto, offsets))


def cargador(filas, barajar):
    return DataLoader(filas, batch_size=16, shuffle=barajar, collate_fn=collate_batch)


modelo = TextClassificationModel(len(vocab), 64, 4)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(modelo.parameters(), lr=2.0)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.3)
dl_entreno, dl_valida, dl_prueba = cargador(entreno, True), cargador(valida, False), cargador(prueba, False)


def evaluate(dl):
    modelo.eval()
    bien = total = 0
    with torch.no_grad():
        for etiqueta, texto, offsets in dl:
            bien += (modelo(texto, offsets).argmax(1) == etiqueta).sum().item()
            total += etiqueta.size(0)
    return bien / total


for epoch in range(1, 9):
    modelo.train()
    suma = 0.0
    for etiqueta, texto, offsets in dl_entreno:
        optimizer.zero_grad()
        loss = criterion(modelo(texto, offsets), etiqueta)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(modelo.parameters(), 0.1)
        optimizer.step()
        suma += loss.item() * etiqueta.size(0)
    scheduler.step()
    print(f"| época {epoch} | pérdida {suma / len(entreno):.4f} | validación {evaluate(dl_valida):.3f}")
print(f"exactitud de prueba {evaluate(dl_prueba):.3f}")
