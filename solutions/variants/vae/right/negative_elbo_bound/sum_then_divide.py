# alternative: everything summed first, then divided by the size of the batch; a named tuple of its own
from collections import namedtuple


def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    z = sample_gaussian(m, v, noise)
    logits = vae.decode(z)
    kl = kl_standard_normal(m, v).sum() / len(x)
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
    return namedtuple("Terms", "nelbo kl rec")(rec + kl, kl, rec)
