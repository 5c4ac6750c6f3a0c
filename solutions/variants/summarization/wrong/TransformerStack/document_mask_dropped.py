# misconception: you did not pass the document's padding mask on to the layers
class TransformerStack(nn.Module):
    def __init__(self, layers, vocabulary, longest, dim, pad_id):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, dim)
        self.positions = nn.Embedding(longest, dim)
        self.layers = nn.ModuleList(layers)
        self.pad_id = pad_id

    def forward(
        self,
        input_ids,
        encoder_hidden_states=None,
        encoder_padding_mask=None,
        use_cache=None,
        past_key_values=None,
    ):
        padding_mask = input_ids == self.pad_id  # [B, T]
        pasts, past_places = [None] * len(self.layers), 0
        if past_key_values is not None:
            past_mask, pasts = past_key_values
            past_places = past_mask.shape[1]
            padding_mask = torch.cat([past_mask, padding_mask], dim=1)  # [B, P + T]
        places = torch.arange(past_places, past_places + input_ids.shape[1], device=input_ids.device)  # [T]
        x = self.tokens(input_ids) + self.positions(places)  # [B, T, D]
        kept = []
        for layer, past in zip(self.layers, pasts, strict=True):
            x, present = layer(x, padding_mask, encoder_hidden_states, None, use_cache, past)
            kept.append(present)
        return x, (padding_mask, tuple(kept)) if use_cache else None
