# expect: nothing
# looks suspicious: every batch is replayed three times, one backward gives the gradients of the weights and
# of the perturbation, which outlives the batch and is updated by hand.
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
batch_size, n_repeats, clip_eps, fgsm_step = 64, 3, 0.1, 0.1
digits = load_digits()
dataset = TensorDataset(torch.tensor(digits.data, dtype=torch.float32) / 16, torch.tensor(digits.target))
train_set, val_set = random_split(dataset, [1408, len(dataset) - 1408])
train_loader = DataLoader(train_set, batch_size=batch_size, shuffle=True)
val_x, val_y = dataset[val_set.indices]

model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 10))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
global_noise_data = torch.zeros(batch_size, 64)


def train(epoch):
    global global_noise_data
    model.train()
    for input, target in train_loader:
        for _ in range(n_repeats):
            noise_batch = global_noise_data[: input.size(0)].clone().requires_grad_(True)
            in1 = (input + noise_batch).clamp(0, 1.0)
            loss = criterion(model(in1), target)
            optimizer.zero_grad()
            loss.backward()
            global_noise_data[: input.size(0)] += fgsm_step * torch.sign(noise_batch.grad)
            global_noise_data.clamp_(-clip_eps, clip_eps)
            optimizer.step()
    print(f"Train Epoch: [{epoch}] Loss {loss.item():.4f}")


def validate_pgd(K=5, step=0.03):
    model.eval()
    orig, input = val_x, val_x + torch.empty_like(val_x).uniform_(-clip_eps, clip_eps)
    for _ in range(K):
        invar = input.detach().clone().requires_grad_(True)
        ascend_grad = torch.autograd.grad(criterion(model(invar), val_y), invar)[0]
        input = torch.max(torch.min(input + step * torch.sign(ascend_grad), orig + clip_eps), orig - clip_eps)
    with torch.no_grad():
        clean = (model(val_x).argmax(1) == val_y).float().mean().item()
        robust = (model(input).argmax(1) == val_y).float().mean().item()
    print(f"Prec@1 {clean:.3f}  under attack {robust:.3f}")


for epoch in range(3):
    train(epoch)
    validate_pgd()
