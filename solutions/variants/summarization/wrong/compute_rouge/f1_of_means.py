# misconception: you took F1 of the mean precision and the mean recall; take F1 of each pair, then the mean
def compute_rouge(predictions, references):
    from rouge_score.rouge_scorer import RougeScorer

    def plain(text):
        for special in SPECIAL:
            text = text.replace(special, " ")
        return text

    kinds = ("rouge1", "rouge2", "rougeL")
    scorer = RougeScorer(list(kinds), use_stemmer=True)
    scores = [scorer.score(plain(wanted), plain(text)) for text, wanted in zip(predictions, references, strict=True)]
    result = {}
    for kind in kinds:
        precision = sum(score[kind].precision for score in scores) / len(scores)
        recall = sum(score[kind].recall for score in scores) / len(scores)
        result[kind] = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return result
