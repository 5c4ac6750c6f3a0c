# alternative: the cache in another layout: keys and values side by side, [B, P, 2D], and lists instead of tuples
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
        heads = self.self_attention.heads

        def pack(k, v):
            return torch.stack([k, v]).permute(1, 3, 0, 2, 4).flatten(2)  # [B, P, 2D]

        def unpack(packed):
            return packed.unflatten(2, (2, heads, -1)).permute(2, 0, 3, 1, 4)  # [2, B, H, P, D/H]

        k, v = self.self_attention.keys_values(x)  # [B, H, T, D/H]
        if past_kv is not None:
            k, v = torch.cat([unpack(past_kv[0]), torch.stack([k, v])], dim=3)  # [B, H, P + T, D/H]
        kept = [pack(k, v)]
        blocked = padding_mask.bool()[:, None]  # [B, 1, P + T]
        if self.is_decoder:
            new, places = x.shape[1], k.shape[2]
            later = torch.ones(new, places, dtype=torch.bool, device=x.device).triu(places - new + 1)  # j > P + i
            blocked = blocked | later  # [B, T, P + T]
        x = self.norm_self(x + self.self_attention(x, k, v, blocked))
        if self.is_decoder:
            k, v = unpack(past_kv[1]) if past_kv is not None else self.cross_attention.keys_values(encoder_out)
            kept.append(pack(k, v))
            if encoder_padding_mask is None:
                encoder_padding_mask = torch.zeros(len(x), k.shape[2], dtype=torch.bool, device=x.device)
            x = self.norm_cross(x + self.cross_attention(x, k, v, encoder_padding_mask.bool()[:, None]))
        x = self.norm_feed_forward(x + self.feed_forward(x))
        return [x, kept if use_cache else None]
