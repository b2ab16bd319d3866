"""What is wrong with a configuration, told when it is saved rather than when a job fails by it; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from contracts.agents import AGENT_CONFIGS, AgentConfig, config_problems
from contracts.shapes import Json
from libs.cel import CelProblems, Outcome, contexts
from libs.template import TemplateError, parse

TEMPLATE: Final = "template"
READ_OUTSIDE: Final = frozenset({"http-pull"})
"""Known types whose jobs are done by programs of others, which may understand whatever they like."""

_COMMON: Final = frozenset(field.alias or name for name, field in AgentConfig.model_fields.items())
_MODELS: Final[Mapping[str, frozenset[str]]] = {
    agent_type: frozenset(field.alias or name for name, field in model.model_fields.items())
    for agent_type, model in AGENT_CONFIGS.items()
}
"""What each known type understands, as clients write it."""


def is_read_outside(agent_type: str) -> bool:
    """Whether programs that we do not know work with the configurations of this type."""
    return agent_type in READ_OUTSIDE or agent_type not in AGENT_CONFIGS


def agent_problems(agent_type: str, config: Json) -> list[Json]:
    """What is wrong with an agent's own configuration, as `{path, message, errorCode, line?, column?}`.

    What is missing may still come from a deployment or a version. Of a type that is not known nothing is.
    """
    problems: list[Json] = list(config_problems(agent_type, config, whole=False))
    if TEMPLATE in _MODELS.get(agent_type, ()):
        problems += _template_problems(config)
    return problems


def deployment_problems(config: Json, *, read_outside: bool) -> list[Json]:
    """What is wrong with a deployment's configuration, whatever its agent is: keys that no type can use as they are.

    Args:
        read_outside: whether an agent may take its jobs whose program we do not know; then only what every type understands is looked at.
    """
    problems: list[Json] = []
    for key in config:
        types = [one for one, known in _MODELS.items() if key in known and (key in _COMMON or not read_outside)]
        found = [config_problems(one, {key: config[key]}, whole=False) for one in types]
        if found and all(found):
            problems += found[0]
    if not read_outside and not any(one["path"] == TEMPLATE for one in problems):
        problems += _template_problems(config)
    return problems


def may_be_read_outside(selector: str, agents: Iterable[Json]) -> bool:
    """Whether a deployment's selector may choose an agent whose program we do not know.

    Args:
        selector: in CEL; one that can not be read chooses nobody here, since it is refused elsewhere.
        agents: documents.
    """
    outside = [one for one in agents if is_read_outside(one["type"])]
    if not outside or selector.strip() in ("", "false"):
        return False
    try:
        program = contexts.AGENT.compile(selector)
    except CelProblems:
        return False
    # The resource is not known yet: a selector that can not answer without it may choose the agent.
    return any(program.verdict(jobAgent=one).outcome is not Outcome.NO_MATCH for one in outside)


def _template_problems(config: Json) -> list[Json]:
    text = config.get(TEMPLATE)
    if not isinstance(text, str):
        return []
    try:
        parse(text)
    except TemplateError as error:
        wrong = {"path": TEMPLATE, "message": str(error), "errorCode": "template"}
        return [{**wrong, "line": error.line, "column": error.column}]
    return []
