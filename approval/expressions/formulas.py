"""Formulas (公式): whatever language an author wrote, read once into one that is evaluated here, or refused."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from approval.expressions import boxes, feel, juel, scripts, tokens
from approval.expressions.feel import ExpressionRefused
from approval.expressions.scripts import ScriptRefused

PYTHON: Final = re.compile(r"python", re.IGNORECASE)
# Declared by modelers on every file, whatever its conditions are written in.
_SILENT: Final = re.compile(r"xpath|java(?!script)|mvel|xmlschema", re.IGNORECASE)
_JUEL: Final = re.compile(r"juel|\bu?el\b|jcp\.org", re.IGNORECASE)
# No FEEL has these, though its parser may forgive them.
_FOREIGN: Final = re.compile(r"==|&&|\|\|")


class Formula(NamedTuple):
    """An expression or script (公式): its text and the language it is evaluated in, `feel` or `python`."""

    text: str
    language: str = "feel"


def read(written: str, language: str | None = None) -> Formula:
    """Read what an author wrote (读入公式) into a formula, checked.

    `language` is what the file declares, None where it declares nothing: then `=` begins FEEL, `${` or `#{` is
    JUEL, and anything else is a plain comparison, else Python. Raises ExpressionRefused, saying what to write instead.
    """
    formula = _read(written, (language or "").strip())
    check(formula)
    return formula


def read_script(written: str, language: str | None = None) -> Formula:
    """Read the text of a script task (读入脚本) into a formula, checked; what declares nothing is Python.

    Raises ExpressionRefused for any other language than Python and FEEL, and for what cannot run.
    """
    declared = (language or "").strip()
    if written.lstrip().startswith("=") or (declared and boxes.feel(declared)):
        formula = Formula(written.strip().removeprefix("=").strip())
        check(formula)
        return formula
    if declared and not PYTHON.search(declared):
        raise ExpressionRefused(expression=written[:200], why=f"{declared} is not run here; write Python or FEEL")
    scripts.check(written)
    return Formula(written, "python")


def check(formula: Formula) -> None:
    """Refuse a formula (公式检查) that could not be evaluated; raises ExpressionRefused."""
    if formula.language == "python":
        scripts.check_expression(formula.text)
    else:
        feel.check(formula.text)


def evaluate(formula: Formula, context: Mapping[str, Any]) -> Any:
    """Evaluate a formula (求值) and return its JSON value.

    Raises ExpressionRefused, with the fact `raised` naming the class when it is an exception of Python's.
    """
    if formula.language == "python":
        return scripts.evaluate(formula.text, context)
    return feel.evaluate(formula.text, context)


def holds(formula: Formula, context: Mapping[str, Any]) -> bool:
    """Say whether a condition holds (条件判断); neither true nor false is an ExpressionRefused."""
    if formula.language != "python":
        return feel.holds(formula.text, context)
    found = scripts.evaluate(formula.text, context)
    if not isinstance(found, bool):
        why = f"a condition must be true or false, and this is {str(found)[:80]}"
        raise ExpressionRefused(expression=formula.text[:200], why=why)
    return found


def happens(formula: Formula, context: Mapping[str, Any]) -> bool:
    """Say whether a conditional event happens (条件事件); a name that nobody gave yet means not yet.

    Raises ExpressionRefused for a formula that cannot be evaluated whatever it is given.
    """
    try:
        return evaluate(formula, context) is True
    except ScriptRefused as refusal:
        if refusal.facts.get("raised") in {"NameError", "KeyError", "TypeError"}:
            return False
        raise


def run(script: Formula, context: Mapping[str, Any]) -> dict[str, Any]:
    """Run a script (运行脚本) and return the names it assigned, as JSON has them.

    A script in FEEL assigns the entries of the context that it is. Raises ScriptRefused or ExpressionRefused.
    """
    if script.language == "python":
        return scripts.run(script.text, context)
    found = feel.evaluate(script.text, context)
    if not isinstance(found, dict):
        why = "a script in FEEL must be a context such as {total: fee * 2}"
        raise ExpressionRefused(expression=script.text[:200], why=why)
    return found


@lru_cache(maxsize=4096)
def _read(written: str, language: str) -> Formula:
    text = written.strip()
    if text.startswith("=") and not text.startswith("=="):
        return Formula(text[1:].strip())
    if language and boxes.feel(language):
        return Formula(text)
    if tokens.templated(text):
        return Formula(juel.fill(text))
    if PYTHON.search(language):
        return Formula(text, "python")
    if _JUEL.search(language):
        return Formula(juel.translate(text))
    if language and not _SILENT.search(language):
        why = f"{language} is not evaluated here; write FEEL, or a comparison such as a == 1 && b != null"
        raise ExpressionRefused(expression=text[:200], why=why)
    return _plain(re.sub(r"\Areturn\s+(.*?);?\Z", r"\1", text, flags=re.DOTALL))


def _plain(text: str) -> Formula:
    """Read what declares no language: a plain comparison, else Python, else FEEL without its equals sign."""
    try:
        return Formula(juel.translate(text, python=True))
    except tokens.Unplain as refusal:
        unplain = ExpressionRefused(**refusal.facts)
    for formula in (Formula(text, "python"), *([] if _FOREIGN.search(text) else [Formula(text)])):
        try:
            check(formula)
        except ScriptRefused as refusal:
            if not refusal.facts["why"].startswith(scripts.NOT_PYTHON):
                raise ExpressionRefused(expression=text[:200], why=refusal.facts["why"]) from None
        except ExpressionRefused:
            break
        else:
            return formula
    raise unplain
