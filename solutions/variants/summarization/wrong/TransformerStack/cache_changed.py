# misconception: you wrote the new caches into the given cache: the caller may use it twice
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
        padding_mask = input_ids == self.pad_id
        pasts, past_places = [None] * len(self.layers), 0
        if past_key_values is not None:
            past_mask, pasts = past_key_values[0], list(past_key_values[1])
            past_places = past_mask.shape[1]
            padding_mask = torch.cat([past_mask, padding_mask], dim=1)
        places = torch.arange(past_places, past_places + input_ids.shape[1], device=input_ids.device)
        x = self.tokens(input_ids) + self.positions(places)
        kept = []
        for layer, past in zip(self.layers, pasts, strict=True):
            x, present = layer(x, padding_mask, encoder_hidden_states, encoder_padding_mask, use_cache, past)
            kept.append(present)
        cache = past_key_values if past_key_values is not None else [None, None]
        cache[0], cache[1] = padding_mask, kept
        return x, cache if use_cache else None
