"""The inputs of a workflow run: what was given, checked against what is declared, with the defaults of what was not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contracts.command import Refused
from contracts.documents import deployment_document, environment_document, resource_document
from contracts.facts.dispatcher import WorkflowSaved
from contracts.shapes import Json, WorkflowInput
from libs.cel import CelProblems, contexts
from services.dispatcher.state import State

RESOURCE_SELECTOR: Final = "resourceSelector"
"""The reserved input: CEL that picks the resources which a run runs for."""
MAX_MATCHES: Final = 10_000
"""Entities that one input may stand for, and resources that one run may run for."""

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


def resolved(workflow: WorkflowSaved, given: Json, state: State) -> Json:
    """The inputs of a run; what is not declared passes through.

    Raises:
        Refused: `WORKFLOW_RUN_ERROR`, an input has the wrong type, is missing, or its selector can not be evaluated.
    """
    inputs = dict(given)
    for declared in workflow.inputs:
        key = declared.key
        if key in inputs:
            if problem := type_problem(declared, inputs[key]):
                raise _refused(problem[0].upper() + problem[1:], key)
        elif declared.selector is not None:
            inputs[key] = _selected(declared, state)
        elif declared.default is not None:
            inputs[key] = declared.default
        elif declared.required:
            raise _refused(f"Input '{key}' is required and has no default: give a {declared.type}.", key)
    return inputs


def resources_of(inputs: Json, state: State) -> tuple[str, ...] | None:
    """Ids of the resources that a run runs for, sorted; None where it runs once, for none.

    Raises:
        Refused: `WORKFLOW_RUN_ERROR`, the selector is no text, can not be read, or picks too many.
    """
    source = inputs.get(RESOURCE_SELECTOR)
    if source is None or source == "":
        return None
    if not isinstance(source, str):
        raise _refused(f"Input '{RESOURCE_SELECTOR}' is no text: write an expression over `resource`.", RESOURCE_SELECTOR)
    try:
        program = contexts.SELECTOR.compile(source)
    except CelProblems as problems:
        raise _refused(f"Input '{RESOURCE_SELECTOR}' can not be read: {problems}", RESOURCE_SELECTOR) from None
    found = tuple(
        resource_id
        for resource_id in sorted(state.resources)
        if program.matches(resource=resource_document(state.workspace_id, state.resources[resource_id].fact))
    )
    if len(found) > MAX_MATCHES:
        raise _refused(
            f"Input '{RESOURCE_SELECTOR}' picks {len(found)} resources; one run may run for {MAX_MATCHES} at most.",
            RESOURCE_SELECTOR,
        )
    return found


def type_problem(declared: WorkflowInput, value: Any) -> str:
    """What is wrong with the type of a value for an input; empty when nothing is."""
    known = isinstance(value, _TYPES[declared.type]) and (declared.type == "boolean" or not isinstance(value, bool))
    return "" if known else f"input '{declared.key}' must be a {declared.type}, not {_shown(value)}."


def _shown(value: Any) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array", dict: "an object"}
    return names.get(type(value), "null")


def _selected(declared: WorkflowInput, state: State) -> list[Json]:
    """The documents of the entities that an array input stands for."""
    selector = declared.selector or {}
    kind, source = selector.get("entityType"), selector.get("default")
    if not source:
        return []
    documents: list[Json]
    match kind:
        case "environment":
            environment = contexts.ENVIRONMENT
            documents = [
                environment_document(state.workspace_id, state.environment_documents[id_])
                for id_ in sorted(state.environment_documents)
            ]
        case "deployment":
            environment = contexts.TARGET
            documents = [deployment_document(state.deployment(state.deployments[id_])) for id_ in sorted(state.deployments)]
        case _:
            environment = contexts.SELECTOR
            documents = [resource_document(state.workspace_id, state.resources[id_].fact) for id_ in sorted(state.resources)]
    try:
        program = environment.compile(str(source))
    except CelProblems as problems:
        raise _refused(f"The selector of input '{declared.key}' can not be read: {problems}", declared.key) from None
    found = [one for one in documents if program.matches(**{str(kind): one})]
    if len(found) > MAX_MATCHES:
        raise _refused(f"Input '{declared.key}' stands for {len(found)} entities; {MAX_MATCHES} at most.", declared.key)
    return found


def _refused(message: str, key: str) -> Refused:
    details = [{"path": f"/body/inputs/{key}", "message": message, "errorCode": "input"}]
    return Refused("invalid", message, code="WORKFLOW_RUN_ERROR", details=details)
