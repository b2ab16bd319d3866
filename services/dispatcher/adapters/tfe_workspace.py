"""The workspace of Terraform Cloud or Enterprise that a `tfe` agent's template describes, in YAML or JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import orjson
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from contracts.shapes import Json
from services.dispatcher.adapters.rendering import Unrenderable, rendered

MAX_DEPTH: Final = 32
MAX_NODES: Final = 10_000
NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
WORDS: Final = {"yes": True, "on": True, "no": False, "off": False}
_BRACKET: Final = re.compile(r"[\[\]{}]")


class WorkspaceUnusable(Exception):
    """What the template renders to is no workspace; the message says where and what to write."""


def _text(value: Any) -> Any:
    """A number or truth value of JSON as it is written; those of YAML are text already, `1.10` stays `1.10`."""
    return orjson.dumps(value).decode() if isinstance(value, bool | int | float) else value


def _truth(value: Any) -> Any:
    return WORDS.get(value.lower(), value) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_text)]
Truth = Annotated[bool, BeforeValidator(_truth)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class VcsRepo(_Part):
    """Where the workspace's Terraform code is."""

    identifier: Text
    branch: Text | None = None
    oauth_token_id: Text | None = None
    ingress_submodules: Truth | None = None
    tags_regex: Text | None = None


class Variable(_Part):
    """One variable; `key` and `category` name it."""

    key: Annotated[Text, Field(min_length=1)]
    value: Text = ""
    description: Text = ""
    category: Literal["terraform", "env"] = "terraform"
    hcl: Truth = False
    sensitive: Truth = False

    @property
    def name(self) -> tuple[str, str]:
        return (self.key, self.category)

    def attributes(self) -> Json:
        """The variable as the API takes it."""
        return self.model_dump()


class Workspace(_Part):
    """A workspace. What is None is not said to Terraform, which leaves it as it is.

    Attributes:
        project: the id of a project (`prj-…`), or its name.
        variables: empty leaves those that are there alone; else they are all that there are.
    """

    name: Annotated[Text, Field(min_length=1, max_length=90, pattern=r"^[A-Za-z0-9_-]+$")]
    description: Text | None = None
    project: Text | None = None
    execution_mode: Text | None = None
    auto_apply: Truth | None = None
    allow_destroy_plan: Truth | None = None
    file_triggers_enabled: Truth | None = None
    global_remote_state: Truth | None = None
    queue_all_runs: Truth | None = None
    speculative_enabled: Truth | None = None
    terraform_version: Text | None = None
    trigger_prefixes: tuple[Text, ...] | None = None
    trigger_patterns: tuple[Text, ...] | None = None
    working_directory: Text | None = None
    agent_pool_id: Text | None = None
    vcs_repo: VcsRepo | None = None
    variables: tuple[Variable, ...] = ()

    def attributes(self) -> Json:
        """The attributes as the API takes them, without project and variables, which are not attributes."""
        said = self.model_dump(exclude={"project", "variables"}, exclude_none=True)
        return {key.replace("_", "-"): _dashed(value) if key == "vcs_repo" else value for key, value in said.items()}


def workspace_of(template: str, context: Mapping[str, Any]) -> Workspace:
    """Render a template and read the workspace out of it. Raises: WorkspaceUnusable."""
    try:
        told = _parsed(rendered("template", template, context))
    except Unrenderable as error:
        raise WorkspaceUnusable(error.message) from None
    if not isinstance(told, dict):
        raise WorkspaceUnusable("The template renders to no map: write `name: …` and the workspace's other options, one a line.")
    said = {key: value for key, value in told.items() if value is not None}
    try:
        workspace = Workspace.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = "/".join(map(str, first["loc"]))
        raise WorkspaceUnusable(f"The template renders to a workspace that can not be used: {where}: {first['msg']}.") from None
    names = [one.name for one in workspace.variables]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise WorkspaceUnusable(f"The template names the {twice[1]} variable {twice[0]} twice.")
    return workspace


def _dashed(value: Mapping[str, Any]) -> Json:
    return {key.replace("_", "-"): one for key, one in value.items()}


def _parsed(text: str) -> Any:
    """The data of a text, from JSON as it is, from YAML with every scalar as text. Raises: WorkspaceUnusable."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    _check_brackets(text)
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        said = getattr(error, "problem", None) or "it can not be read"
        raise WorkspaceUnusable(f"The template renders to no YAML{where}: {said}.") from None
    except RecursionError:
        raise WorkspaceUnusable("The template renders to YAML that is nested too deeply.") from None
    return _Reading().value(node, 0) if node is not None else None


def _check_brackets(text: str) -> None:
    """PyYAML looks at all open brackets for every token. Raises: WorkspaceUnusable."""
    opened = 0
    for bracket in _BRACKET.findall(text):
        opened += 1 if bracket in "[{" else -1
        if opened > MAX_DEPTH:
            raise WorkspaceUnusable(f"The template renders to YAML with more than {MAX_DEPTH} open brackets.")


class _Reading:
    """Turns YAML nodes into data, within bounds: what an alias repeats counts each time."""

    def __init__(self) -> None:
        self._left = MAX_NODES

    def value(self, node: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise WorkspaceUnusable(f"The template renders to YAML with more than {MAX_NODES} values, or {MAX_DEPTH} levels.")
        match node:
            case yaml.ScalarNode():
                return None if node.style is None and node.value in NULL else node.value
            case yaml.SequenceNode():
                return [self.value(one, depth + 1) for one in node.value]
        found: Json = {}
        for key, one in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise WorkspaceUnusable(
                    f"The template renders to YAML with a key that is no text, in line {key.start_mark.line + 1}."
                )
            if key.value in found:
                raise WorkspaceUnusable(
                    f"The template renders to YAML with the key {key.value[:100]} twice, in line {key.start_mark.line + 1}."
                )
            found[key.value] = self.value(one, depth + 1)
        return found
