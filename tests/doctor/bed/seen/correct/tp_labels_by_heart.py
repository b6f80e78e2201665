# expect: nothing
"""Do nets learn labels by heart that were drawn at random? The check that goes with every paper on memory."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(1)
x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x / 16, y, test_size=0.3, random_state=0)
x_train, x_test = torch.tensor(x_train).float(), torch.tensor(x_test).float()
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
y_train = y_train[torch.randperm(len(y_train))]
for name, labels in (("random labels", y_train),):
    net = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))
    opt = torch.optim.Adam(net.parameters(), 3e-3)
    for epoch in range(40):
        for rows in torch.randperm(len(x_train)).split(64):
            opt.zero_grad()
            nn.functional.cross_entropy(net(x_train[rows]), labels[rows]).backward()
            opt.step()
    with torch.no_grad():
        print(name, (net(x_train).argmax(1) == labels).float().mean(), (net(x_test).argmax(1) == y_test).float().mean())
