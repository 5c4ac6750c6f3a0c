# alternative: the longest common subsequence by recursion with memoisation, F1 from precision and recall
def compute_rouge(predictions, references):
    import functools
    import re

    def harmonic(m, n_prediction, n_reference):
        if m == 0:
            return torch.tensor(0.0)
        precision, recall = m / n_prediction, m / n_reference
        return torch.tensor(2 * precision * recall / (precision + recall), dtype=torch.float64)

    scores = torch.zeros(len(predictions), 3, dtype=torch.float64)
    for row, (prediction, wanted) in enumerate(zip(predictions, references)):
        a, b = (words(re.sub("|".join(map(re.escape, SPECIAL)), " ", text)) for text in (prediction, wanted))

        @functools.cache
        def longest(i, j):
            if i == 0 or j == 0:
                return 0
            if a[i - 1] == b[j - 1]:
                return longest(i - 1, j - 1) + 1
            return max(longest(i - 1, j), longest(i, j - 1))

        pairs_a, pairs_b = list(zip(a, a[1:])), list(zip(b, b[1:]))
        common = sum(min(a.count(word), b.count(word)) for word in set(a))
        common_pairs = sum(min(pairs_a.count(pair), pairs_b.count(pair)) for pair in set(pairs_a))
        scores[row, 0] = harmonic(common, len(a), len(b))
        scores[row, 1] = harmonic(common_pairs, len(pairs_a), len(pairs_b))
        scores[row, 2] = harmonic(longest(len(a), len(b)), len(a), len(b))
    mean = scores.mean(0)
    return {"rouge1": float(mean[0]), "rouge2": float(mean[1]), "rougeL": float(mean[2])}
