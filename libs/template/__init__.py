"""Templates: text with Go-template fields such as `{{.version.tag}}`, rendered over plain JSON data."""

from __future__ import annotations

from libs.template.render import MAX_TEXT, TemplateError, render

__all__ = ["render", "TemplateError", "MAX_TEXT"]
