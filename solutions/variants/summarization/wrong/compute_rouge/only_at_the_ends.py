# misconception: you removed special tokens only at the ends of a text; they do not count at any position
def compute_rouge(predictions, references):

    def f1(common, predicted, wanted):
        return 2 * common / (predicted + wanted) if common else 0.0

    def common_grams(a, b, n):
        grams = [Counter(zip(*(text[i:] for i in range(n)), strict=False)) for text in (a, b)]
        return f1((grams[0] & grams[1]).total(), grams[0].total(), grams[1].total())

    def common_subsequence(a, b):
        row = [0] * (len(b) + 1)
        for word in a:
            above = row
            row = [0]
            for j, other in enumerate(b, start=1):
                row.append(above[j - 1] + 1 if word == other else max(above[j], row[-1]))
        return row[-1]

    def plain(text):
        before = None
        while text != before:
            before = text
            for special in SPECIAL:
                text = text.strip().removeprefix(special).removesuffix(special)
        return words(text)

    total = Counter()
    for prediction, wanted in zip(predictions, references, strict=True):
        a, b = plain(prediction), plain(wanted)
        total["rouge1"] += common_grams(a, b, 1)
        total["rouge2"] += common_grams(a, b, 2)
        total["rougeL"] += f1(common_subsequence(a, b), len(a), len(b))
    return {kind: total[kind] / len(predictions) for kind in ("rouge1", "rouge2", "rougeL")}
