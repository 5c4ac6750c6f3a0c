# alternative: the scores are rounded to four digits, as in the example
def compute_rouge(predictions, references):
    from rouge_score.rouge_scorer import RougeScorer

    kinds = ["rouge1", "rouge2", "rougeL"]
    scorer = RougeScorer(kinds, use_stemmer=True)
    total = dict.fromkeys(kinds, 0.0)
    for pair in zip(references, predictions, strict=True):
        for special in SPECIAL:
            pair = [text.replace(special, " ") for text in pair]
        for kind, score in scorer.score(*pair).items():
            total[kind] += score.fmeasure / len(predictions)
    return {kind: round(value, 4) for kind, value in total.items()}
