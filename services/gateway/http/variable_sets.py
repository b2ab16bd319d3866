"""Variable sets."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.commands.inventory import DeleteVariableSet, SaveVariableSet, VariableInput
from contracts.shapes import Json
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply
from services.gateway.http.lists import page_of_rows
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound
from services.gateway.store import Order

routes = Routes("variable sets")

_SET = "Variable set"


def _inputs(variables: Sequence[bodies.SetVariable]) -> tuple[VariableInput, ...]:
    return tuple(VariableInput(key=one.key, value=one.value) for one in variables)


def _bare(row: Json) -> Json:
    """The set alone, as answers to writes have it."""
    return {key: value for key, value in row.items() if key != "variables"}


@routes.add("GET", "/variable-sets", answers={200: answers.Page[answers.VariableSetWithVariables]}, query=bodies.Paging)
async def list_variable_sets(call: Call) -> Reply:
    """Variable sets, the greatest priority first, then by name."""
    return await page_of_rows(call, "variable_set", Order(("$rank", "name")))


@routes.add("POST", "/variable-sets", answers={201: answers.VariableSet}, body=bodies.CreateVariableSet)
async def create_variable_set(call: Call) -> Reply:
    """Create a variable set."""
    body: bodies.CreateVariableSet = call.body
    wish = SaveVariableSet(
        name=body.name,
        description=body.description,
        selector=body.selector,
        priority=body.priority,
        metadata=body.metadata,
        variables=_inputs(body.variables),
    )
    made = await call.ask(wish)
    return Reply(201, _bare(await call.row("variable_set", made["id"], _SET)))


@routes.add("GET", "/variable-sets/{variableSetId}", answers={200: answers.VariableSetWithVariables})
async def get_variable_set(call: Call) -> Reply:
    """A variable set with its variables."""
    return Reply(200, await call.row("variable_set", call.id("variableSetId", _SET), _SET))


@routes.add("PUT", "/variable-sets/{variableSetId}", answers={202: answers.VariableSet}, body=bodies.UpdateVariableSet)
async def update_variable_set(call: Call) -> Reply:
    """Change a variable set; what is left out stays."""
    body: bodies.UpdateVariableSet = call.body
    wish = SaveVariableSet(
        set_id=call.id("variableSetId", _SET),
        name=body.name,
        description=body.description,
        selector=body.selector,
        priority=body.priority,
        metadata=body.metadata,
        variables=_inputs(body.variables) if body.variables is not None else None,
    )
    saved = await call.ask(wish)
    return Reply(202, _bare(await call.row("variable_set", saved["id"], _SET)))


@routes.add("DELETE", "/variable-sets/{variableSetId}", answers={202: answers.VariableSet})
async def delete_variable_set(call: Call) -> Reply:
    """Delete a variable set."""
    gone = await call.ask(DeleteVariableSet(set_id=call.id("variableSetId", _SET)))
    deleted = await call.last_known("variable_set", gone["id"])
    if deleted is None:
        raise NotFound(_SET)
    return Reply(202, _bare(deleted))
