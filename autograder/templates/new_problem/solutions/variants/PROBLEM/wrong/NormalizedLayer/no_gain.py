# misconception: you left out the gain, so that all features are used equally
class NormalizedLayer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(inputs))
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x):
        return F.relu(self.linear(rms_normalize(x)))
