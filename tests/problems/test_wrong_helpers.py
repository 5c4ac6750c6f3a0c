"""Items that call each other are judged one by one: a wrong answer to one costs no other its points."""

from __future__ import annotations

import pytest

from tests.problems.run_source import variant, verdicts

ALONE = [
    ("summarization", "TransformerLayer", "no_causal_mask cache_ignored normalised_before no_cross_attention"),
    ("summarization", "TransformerStack", "place_0 first_layer_only"),
    ("early_exit", "prediction_entropy", "bits sign mean_over_classes relative one_minus_confidence"),
    ("early_exit", "tail_variance", "one_term_too_many deviation one_minus worked_numbers_only"),
    ("gan", "discriminator_loss", "labels_swapped halved summed sigmoid_twice log_of_sigmoid kink_at_zero"),
    (
        "gan",
        "generator_loss_nonsaturating",
        "minimax sign summed sigmoid_twice logits_only numbers_without_gradient",
    ),
]
"""Wrong solutions of an item, each in a notebook that is right everywhere else."""
TOGETHER = [
    ("vae", "sample_gaussian/deviation_is_variance kl_standard_normal/sign"),
    (
        "diffusion",
        "replaced_probability/delta_for_two_delta posterior_plus_one/t_for_t_minus_one cumulative_alphas/no_product"
        " q_sample/no_roots q_posterior/now_for_before",
    ),
]
"""Wrong solutions in one notebook."""
CASES = [(problem, f"{item}/{slug}") for problem, item, slugs in ALONE for slug in slugs.split()] + TOGETHER


def failed(problem: str, answers: dict[str, str]) -> set[str]:
    """The items of a notebook with these answers that lose points."""
    return {item for item, message in verdicts(problem, answers).items() if message}


@pytest.mark.long  # `autograder check` proves it for every variant
@pytest.mark.parametrize(("problem", "names"), CASES)
def test_wrong_solutions_cost_their_own_items_only(problem: str, names: str) -> None:
    wrong = {name.split("/")[0]: variant(problem, f"wrong/{name}") for name in names.split()}
    assert failed(problem, wrong) == set(wrong)


def test_a_divergence_that_is_nan_costs_no_other_item_of_comparing_distributions() -> None:
    nan = {"kl_divergence": "def kl_divergence(p, q):\n    return torch.tensor(float('nan'))"}
    assert failed("comparing_distributions", nan) == {"kl_divergence"}


@pytest.mark.parametrize(
    ("helper", "right"),
    [
        ("replaced_probability/delta_for_two_delta", "posterior_plus_one/through_replaced_probability"),
        ("posterior_plus_one/minus_one", "binary_diffusion_loss/own_posterior_in_float64"),
        ("cumulative_alphas/shifted", "q_posterior/where_first_step"),
        ("q_posterior/beta_as_variance", "p_sample/masked_noise"),
    ],
)
def test_a_wrong_helper_of_diffusion_costs_no_right_alternative_its_points(helper: str, right: str) -> None:
    item = right.split("/")[0]
    answers = {
        helper.split("/")[0]: variant("diffusion", f"wrong/{helper}"),
        item: variant("diffusion", f"right/{right}"),
    }
    assert verdicts("diffusion", answers, [item]) == {item: ""}


def test_missing_losses_of_gan_cost_a_right_round_no_points() -> None:
    names = ("discriminator_loss", "generator_loss_nonsaturating")
    answers = {name: f"def {name}(*args, **kwargs):\n    raise NotImplementedError" for name in names}
    answers["gan_step"] = variant("gan", "right/gan_step/losses_written_out")
    assert verdicts("gan", answers, ["gan_step"]) == {"gan_step": ""}
