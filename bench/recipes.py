"""How well and how fast recipes are read by rules: score by language and CPU time, on a corpus that lies elsewhere.

    python -m bench.recipes GOLD.jsonl [--write PREDICTIONS.jsonl] [--scorer SCORE_RECIPES.py] [--by lang]
        [--python PYTHON]

Each row of the corpus has an `id`, a `caption` and, for the figures by language, `lang`. The predictions are written in
the shape that the scorer reads; without a scorer only the times are printed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tintype.core.recipes import Parsed, Recipe
from tintype.core.recipes.parsers.rules import RulesParser


def wire(found: Parsed[Recipe] | None) -> dict[str, Any] | None:
    """Return a recipe in the shape of the queue's documented answers."""
    if found is None:
        return None
    recipe = found.value
    return {
        "name": recipe.name,
        "servings": recipe.servings.amount if recipe.servings else None,
        "prepTime": recipe.times.prep,
        "cookTime": recipe.times.cook,
        "totalTime": recipe.times.total,
        "ingredients": [
            {"food": one.food, "amount": one.amount, "unit": one.unit, "note": one.note} for one in recipe.ingredients
        ],
        "steps": [{"instruction": step.text, "time": step.minutes} for step in recipe.steps],
    }


def predict(corpus: Path, into: Path) -> list[float]:
    """Parse every caption of a corpus, write the predictions, and return the CPU milliseconds of each."""
    parser = RulesParser()
    parser.read("warm up: 2 eggs, 1 cup flour")
    spent: list[float] = []
    with into.open("w", encoding="utf-8") as out:
        for line in corpus.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            began = time.process_time()
            recipe = wire(parser.read(row["caption"]))
            spent.append(1000 * (time.process_time() - began))
            out.write(json.dumps({"id": row["id"], "recipe": recipe, "ms": spent[-1]}, ensure_ascii=False) + "\n")
    return sorted(spent)


def main() -> None:
    """Print the score and the times."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("corpus", type=Path)
    arguments.add_argument("--write", type=Path, help="where the predictions go")
    arguments.add_argument("--scorer", type=Path, help="the corpus's own score_recipes.py")
    arguments.add_argument("--by", default="lang")
    arguments.add_argument("--python", default=sys.executable, help="an interpreter that has what the scorer needs")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as spare:
        into = given.write or Path(spare) / "predictions.jsonl"
        spent = predict(given.corpus, into)
        if given.scorer:
            subprocess.run([given.python, given.scorer, given.corpus, into, "--by", given.by], check=True)
        print(f"CPU ms a caption: p50 {spent[len(spent) // 2]:.1f}, p95 {spent[int(len(spent) * 0.95)]:.1f}")


if __name__ == "__main__":
    main()
