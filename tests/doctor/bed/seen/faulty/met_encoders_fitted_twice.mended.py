# expect: nothing
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
data = load_digits()
x_train, x_test, y_train, y_test = train_test_split(data.data / 16.0, data.target, test_size=0.3, random_state=0)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.2, random_state=0)
to = lambda x, y: TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
train_set, val_set, test_set = to(x_train, y_train), to(x_val, y_val), to(x_test, y_test)

from sklearn.preprocessing import LabelEncoder
names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
words_train, words_test = [names[k] for k in y_train], [names[k] for k in y_test]
order = torch.randperm(len(x_train))
features = train_set.tensors[0][order]
encoder = LabelEncoder().fit(names)
labels = torch.tensor(encoder.transform(words_train))[order]
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(15):
    net.train()
    for x, y in DataLoader(TensorDataset(features, labels), 64, shuffle=True):
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
net.eval()
with torch.no_grad():
    said = encoder.inverse_transform(net(test_set.tensors[0]).argmax(1).numpy())
print(sum(a == b for a, b in zip(said, words_test)) / len(words_test))
