# alternative: a decoder that takes new positions one after the other, each with the cache of those before
class TransformerLayer(nn.Module):
    def __init__(self, dim, heads, hidden, is_decoder):
        super().__init__()
        self.is_decoder = is_decoder
        self.self_attention = MultiHeadAttention(dim, heads)
        self.norm_self = nn.LayerNorm(dim)
        if is_decoder:
            self.cross_attention = MultiHeadAttention(dim, heads)
            self.norm_cross = nn.LayerNorm(dim)
        self.feed_forward = nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, dim))
        self.norm_feed_forward = nn.LayerNorm(dim)

    def forward(self, x, padding_mask, encoder_out=None, encoder_padding_mask=None, use_cache=None, past_kv=None):
        if self.is_decoder and x.shape[1] > 1:
            states, old = [], padding_mask.shape[1] - x.shape[1]
            for i in range(x.shape[1]):
                mask = padding_mask[:, : old + i + 1]
                state, past_kv = self(x[:, i : i + 1], mask, encoder_out, encoder_padding_mask, True, past_kv)
                states.append(state)
            return torch.cat(states, dim=1), past_kv if use_cache else None
        k, v = self.self_attention.keys_values(x)  # [B, H, T, D/H]
        if past_kv is not None:
            k, v = torch.cat([past_kv[0], k], dim=2), torch.cat([past_kv[1], v], dim=2)  # [B, H, P + T, D/H]
        kept = (k, v)
        blocked = padding_mask.bool()[:, None]  # [B, 1, P + T]
        if self.is_decoder:
            assert k.shape[2] == padding_mask.shape[1]  # one new place may look at all that there is
        x = self.norm_self(x + self.self_attention(x, k, v, blocked))
        if self.is_decoder:
            k, v = past_kv[2:] if past_kv is not None else self.cross_attention.keys_values(encoder_out)
            kept = (*kept, k, v)
            if encoder_padding_mask is None:
                encoder_padding_mask = torch.zeros(len(x), k.shape[2], dtype=torch.bool, device=x.device)
            x = self.norm_cross(x + self.cross_attention(x, k, v, encoder_padding_mask.bool()[:, None]))
        x = self.norm_feed_forward(x + self.feed_forward(x))
        return x, kept if use_cache else None
