# expect: metric_wrong_axis @ 73
# Tutorial 5 - Recurrent networks: reading an image row by row
# ------------------------------------------------------------
# Every 8x8 digit is a sequence of eight rows with eight values each.
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)

# Hyper-parameters
sequence_length = 8
input_size = 8
hidden_size = 64
num_layers = 1
num_classes = 10
batch_size = 64
num_epochs = 8
learning_rate = 0.01

# Data
digits = load_digits()
images = torch.tensor(digits.images / 16.0, dtype=torch.float32)
labels = torch.tensor(digits.target)
train_idx, test_idx = train_test_split(range(len(labels)), test_size=0.2, random_state=1, stratify=digits.target)
train_dataset = TensorDataset(images[train_idx], labels[train_idx])
test_dataset = TensorDataset(images[test_idx], labels[test_idx])

train_loader = DataLoader(dataset=train_dataset, batch_size=batch_size, shuffle=True)
test_loader = DataLoader(dataset=test_dataset)


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, num_layers, num_classes):
        super(RNN, self).__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.gru = nn.GRU(input_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        h0 = torch.zeros(self.num_layers, x.size(0), self.hidden_size)
        out, _ = self.gru(x, h0)
        return self.fc(out[:, -1, :])


model = RNN(input_size, hidden_size, num_layers, num_classes)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)

# Train the model
for epoch in range(num_epochs):
    model.train()
    running = 0.0
    for batch, target in train_loader:
        batch = batch.reshape(-1, sequence_length, input_size)
        outputs = model(batch)
        loss = criterion(outputs, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item()
    print(f"Epoch [{epoch + 1}/{num_epochs}], Loss: {running / len(train_loader):.4f}")

# Test the model
model.eval()
with torch.no_grad():
    hits, total = 0.0, 0
    for image, target in test_loader:
        outputs = model(image.reshape(-1, sequence_length, input_size))
        predicted = torch.argmax(outputs, dim=0)
        hits += (predicted == target).float().mean().item()
        total += 1
print(f"Test accuracy of the model on the {total} test images: {100 * hits / total:.1f} %")
