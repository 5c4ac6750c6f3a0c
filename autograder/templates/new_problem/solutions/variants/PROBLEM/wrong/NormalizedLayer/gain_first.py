# misconception: you multiplied by the gain before the normalisation, not after it
class NormalizedLayer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(inputs))
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x):
        return F.relu(self.linear(rms_normalize(self.gain * x)))
