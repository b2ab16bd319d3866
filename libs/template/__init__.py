"""Templates: Go's `text/template` with Sprig's functions, rendered over plain JSON data within bounds."""

from __future__ import annotations

from libs.template.bounds import MAX_TEXT
from libs.template.error import TemplateError
from libs.template.lexer import Marks
from libs.template.render import Template, parse, render

__all__ = ["parse", "render", "Template", "TemplateError", "Marks", "MAX_TEXT"]
