"""Repeats an extraction: its settings and its command line, from the recipe of its features."""

from __future__ import annotations

import shlex
from dataclasses import fields
from typing import Any

from jaxdep.data.extraction import Recipe, differences, without_place
from jaxdep.errors import UserError
from jaxdep.extract import face, layouts, models, provenance
from jaxdep.extract.settings import Settings


def settings_of(recipe: Recipe) -> Settings:
    """The settings by which features are made as those of a recipe, with the models found now.

    The predictor must be the packaged one, and encoders must have names of the Hub: of others,
    recipes do not say where they are.

    Args:
      recipe: what `provenance.recipe` returned, with or without the partition.

    Raises:
      UserError: another version made the features, or a model is not found or is another one; the
        message names the command to extract by hand.
    """
    if recipe["version"] != provenance.VERSION or recipe["like"] not in layouts.LAYOUTS:
        raise UserError(
            f"the run's features were made by version {recipe['version']} of the extraction, and"
            f" this jaxdep has version {provenance.VERSION}: extract the features by the jaxdep"
            " that made them, and give their folder; or extract all of them again, and train again"
        )
    given = _given(recipe)
    by_hand = (
        f"extract the features by hand, with the original models: {_command(given)}; and give DIR"
    )
    if unknown := [
        given[name] for name in models.SETTINGS if given.get(name) and _is_local(given[name])
    ]:
        raise UserError(
            "the run's features were made with models that the run does not have:"
            f" {', '.join(unknown)}; {by_hand}"
        )
    try:
        settings = Settings(**given)
        found = provenance.recipe(layouts.resolve(settings))
    except UserError as error:
        raise UserError(f"{error}\nOr {by_hand}") from error
    both = [without_place(each) for each in (recipe, found)]
    if differ := differences(both):
        raise UserError(
            f"features like those of the run cannot be made here, as {', '.join(differ)} would not"
            f" be the same; {by_hand}"
        )
    return settings


def _given(recipe: Recipe) -> dict[str, Any]:
    """Arguments of `Settings`, not checked."""
    layout = layouts.LAYOUTS[recipe["like"]]
    given = {each.name: recipe[each.name] for each in fields(Settings) if each.name in recipe}
    given["streams"] = () if layout.streams else tuple(recipe["streams"])
    for name in models.SETTINGS:
        if name in given:
            given[name] = recipe[name]["name"]
    if "predictor" in given and _is_packaged(recipe["predictor"]["sha256"]):
        given["predictor"] = None
    if "{partition}" in layout.file:
        given["partition"] = "testing"  # any: it does not change features
    return given


def _is_packaged(digest: str) -> bool:
    """Whether the packaged predictor, if there is one, has this SHA-256."""
    try:
        return models.sha256(face.predictor_file(None)) == digest
    except UserError:
        return False


def _is_local(name: str) -> bool:
    """Whether a recipe has but the last part of a model's path; names of the Hub have two."""
    return "/" not in name


def _command(given: dict[str, Any]) -> str:
    """Command line that extracts with these arguments of `Settings`."""
    words = ["jaxdep", "extract", "VIDEOS"]
    for each in fields(Settings):
        value = given.get(each.name, each.default)
        if each.name == "like" or value != each.default:
            words.append("--" + each.name.replace("_", "-"))
            if not isinstance(value, bool):
                words += map(_text, value if isinstance(value, tuple) else [value])
    return " ".join([*words, "--out", "DIR"])


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else shlex.quote(str(value))
