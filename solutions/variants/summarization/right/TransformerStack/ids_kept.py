# alternative: keeps the old tokens and makes the mask of them
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
        pasts, everything = [None] * len(self.layers), input_ids
        if past_key_values is not None:
            pasts = list(past_key_values[1:])
            everything = torch.cat([past_key_values[0], input_ids], dim=1)
        start = everything.shape[1] - input_ids.shape[1]
        where = torch.arange(everything.shape[1], device=input_ids.device)[start:]
        x = self.tokens(input_ids) + self.positions(where).unsqueeze(0)
        for number, layer in enumerate(self.layers):
            x, pasts[number] = layer(
                x,
                everything == self.pad_id,
                encoder_out=encoder_hidden_states,
                encoder_padding_mask=encoder_padding_mask,
                use_cache=use_cache,
                past_kv=pasts[number],
            )
        return x, ([everything, *pasts] if use_cache else None)
