# expect: nan_inputs @ 20
# allowed: nan_inputs @ 19
# mend: 20 → x_app = (x_app - moyenne) / ecart.clamp(min=1.0)
# mend: 21 → x_test = (x_test - moyenne) / ecart.clamp(min=1.0)
# Standardisation par pixel des chiffres, puis petit réseau convolutif
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
images, cibles = load_digits(return_X_y=True)
x_app, x_test, y_app, y_test = train_test_split(
    images, cibles, test_size=0.3, random_state=1, stratify=cibles)
x_app, x_test = torch.tensor(x_app).float(), torch.tensor(x_test).float()
y_app, y_test = torch.tensor(y_app), torch.tensor(y_test)

moyenne = x_app.mean(0)
ecart = x_app.std(0)
x_app = (x_app - moyenne) / ecart
x_test = (x_test - moyenne) / ecart
x_app, x_test = x_app.view(-1, 1, 8, 8), x_test.view(-1, 1, 8, 8)

reseau = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(12 * 16, 10),
)
perte = nn.CrossEntropyLoss()
optim = torch.optim.Adam(reseau.parameters(), lr=3e-3)

for epoque in range(8):
    reseau.train()
    cumul = 0.0
    for lot in torch.randperm(len(x_app)).split(64):
        optim.zero_grad()
        l = perte(reseau(x_app[lot]), y_app[lot])
        l.backward()
        optim.step()
        cumul += l.item() * len(lot)
    print(f"époque {epoque + 1} perte {cumul / len(x_app):.4f}")

reseau.eval()
with torch.no_grad():
    bons = (reseau(x_test).argmax(1) == y_test).float().mean().item()
print(f"exactitude sur le test : {bons:.3f}")
