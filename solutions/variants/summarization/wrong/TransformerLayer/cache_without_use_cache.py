# misconception: you return the cache always; without use_cache=True it is None
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
        k, v = self.self_attention.keys_values(x)  # [B, H, T, D/H]
        pair = torch.stack([k, v], dim=1)  # [B, 2, H, T, D/H]
        if past_kv is not None:
            pair = torch.cat([past_kv[0], pair], dim=3)
        k, v = pair[:, 0], pair[:, 1]
        kept = [pair]
        blocked = padding_mask.bool()[:, None]  # [B, 1, P + T]
        if self.is_decoder:
            new, places = x.shape[1], k.shape[2]
            later = torch.ones(new, places, dtype=torch.bool, device=x.device).triu(places - new + 1)  # j > P + i
            blocked = blocked | later  # [B, T, P + T]
        x = self.norm_self(x + self.self_attention(x, k, v, blocked))
        if self.is_decoder:
            k, v = past_kv[1:] if past_kv is not None else self.cross_attention.keys_values(encoder_out)
            kept = [*kept, k, v]
            if encoder_padding_mask is None:
                encoder_padding_mask = torch.zeros(len(x), k.shape[2], dtype=torch.bool, device=x.device)
            x = self.norm_cross(x + self.cross_attention(x, k, v, encoder_padding_mask.bool()[:, None]))
        x = self.norm_feed_forward(x + self.feed_forward(x))
        return x, kept
