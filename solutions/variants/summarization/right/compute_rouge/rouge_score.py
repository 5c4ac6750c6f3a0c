# alternative: with the package rouge_score
def compute_rouge(predictions, references):
    from rouge_score.rouge_scorer import RougeScorer

    def plain(text):
        for special in SPECIAL:
            text = text.replace(special, "")
        return text

    kinds = ["rouge1", "rouge2", "rougeL"]
    scorer = RougeScorer(kinds, use_stemmer=True)
    found = [scorer.score(plain(b), plain(a)) for a, b in zip(predictions, references)]
    return {kind: sum(each[kind].fmeasure for each in found) / len(found) for kind in kinds}
