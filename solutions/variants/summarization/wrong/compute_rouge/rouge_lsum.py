# misconception: you took rougeLsum, which splits the texts into lines, instead of rougeL
def compute_rouge(predictions, references):
    from rouge_score.rouge_scorer import RougeScorer

    def plain(text):
        for special in SPECIAL:
            text = text.replace(special, " ")
        return text

    scorer = RougeScorer(["rouge1", "rouge2", "rougeLsum"], use_stemmer=True)
    found = [scorer.score(plain(b), plain(a)) for a, b in zip(predictions, references)]
    mean = {kind: sum(each[kind].fmeasure for each in found) / len(found) for kind in found[0]}
    return {"rouge1": mean["rouge1"], "rouge2": mean["rouge2"], "rougeL": mean["rougeLsum"]}
