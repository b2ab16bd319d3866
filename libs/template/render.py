"""Templates as callers use them: parse once, render often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from libs.template.bounds import MAX_TEXT
from libs.template.error import TemplateError, error_at
from libs.template.evaluation import Evaluation
from libs.template.lexer import BRACES, Marks
from libs.template.nodes import Tree
from libs.template.parser import tree_of
from libs.template.values import of_json


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template, which can be kept and rendered any number of times.

    Attributes:
        text: what it was parsed from.
        tree: what was found in it.
    """

    text: str
    tree: Tree

    def render(self, context: Mapping[str, Any], *, longest: int = MAX_TEXT) -> str:
        """Render over plain data, which is only read.

        Args:
            context: the root, JSON-like. Whole numbers are exact and print plainly.
            longest: how many characters the text may have.

        Raises:
            TemplateError: an action can not be evaluated, or the template does more than `libs.template.bounds` allows.
        """
        roots = self.tree.roots
        # Contexts are large and most templates read little of them.
        read = context if roots is None else {key: context[key] for key in sorted(roots) if key in context}
        return Evaluation(self.text, self.tree, longest).render(of_json(read))


def parse(text: str, marks: Marks = BRACES) -> Template:
    """Parse a template of at most `MAX_TEXT` characters.

    Args:
        text: the template.
        marks: what an action stands between.

    Raises:
        TemplateError: it is too long, not well-formed, or uses a function or variable that is not there.
    """
    if len(text) > MAX_TEXT:
        raise TemplateError(f"the template has {len(text)} characters, at most {MAX_TEXT} are allowed", 1, 1)
    try:
        return Template(text, tree_of(text, marks))
    except RecursionError:
        raise error_at(text, 0, "the template is nested too deeply") from None


def render(text: str, context: Mapping[str, Any]) -> str:
    """Parse and render in one go; the text is at most `MAX_TEXT` characters.

    Raises:
        TemplateError: as of `parse` and `Template.render`.
    """
    if "{{" not in text and len(text) <= MAX_TEXT:
        return text
    return parse(text).render(context)
