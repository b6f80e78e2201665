# expect: nothing
# Dossiers d'images lus classe par classe (comme ImageFolder), petit CNN
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(0)


class DossierImages(Dataset):
    def __init__(self, images, etiquettes):
        self.exemples = []
        for classe in range(10):
            for img in images[etiquettes == classe]:
                self.exemples.append((torch.tensor(img).float().unsqueeze(0), classe))

    def __len__(self):
        return len(self.exemples)

    def __getitem__(self, i):
        return self.exemples[i]


d = load_digits()
im_a, im_t, et_a, et_t = train_test_split(
    d.images / 16.0, d.target, test_size=0.3, stratify=d.target, random_state=0)
train_dl = DataLoader(DossierImages(im_a, et_a), batch_size=32, shuffle=True)
test_dl = DataLoader(DossierImages(im_t, et_t), batch_size=128)

cnn = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(192, 10))
opt = torch.optim.SGD(cnn.parameters(), lr=0.05, momentum=0.9)
critere = nn.CrossEntropyLoss()

for ep in range(6):
    cnn.train()
    somme = 0.0
    for x, y in train_dl:
        opt.zero_grad()
        perte = critere(cnn(x), y)
        perte.backward()
        opt.step()
        somme += perte.item()
    cnn.eval()
    print(f"époque {ep + 1} perte {somme / len(train_dl):.4f}")

bons = 0
with torch.no_grad():
    for x, y in test_dl:
        bons += (cnn(x).argmax(1) == y).sum().item()
print(f"exactitude test {bons / len(test_dl.dataset):.3f}")
