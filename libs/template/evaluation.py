"""Walks the tree of a template and writes its text."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from typing import Any, Final

from libs.template.bounds import NESTING, Budget
from libs.template.error import Fault, error_at
from libs.template.functions.signature import called
from libs.template.nodes import (
    Body,
    Branch,
    Call,
    Command,
    Constant,
    Definition,
    Dot,
    Fields,
    Include,
    Leave,
    Loop,
    Node,
    Operand,
    Pipeline,
    Print,
    Text,
    Tree,
    Variable,
)
from libs.template.printing import printed
from libs.template.values import MISSING, Opaque, is_true, type_name

_NO_FINAL: Final = object()
"""Stands for the value of the command before, where there is none."""


class _Left(Enum):
    """How a loop's body was left before its end."""

    BREAK = auto()
    CONTINUE = auto()


class Evaluation:
    """One rendering of one template."""

    def __init__(self, text: str, tree: Tree, longest: int) -> None:
        self.text = text
        self.tree = tree
        self.longest = longest
        self.budget = Budget()
        self.parts: list[str] = []
        self.length = 0
        self.depth = 0
        self.frame: list[Any] = []
        self.here = 0

    def render(self, data: Any) -> str:
        """The text of the main template.

        Args:
            data: the root, made of template values only.

        Raises:
            TemplateError: something could not be evaluated, or one of the bounds was passed.
        """
        try:
            self._run(self.tree.main, data)
        except Fault as fault:
            raise error_at(self.text, self.here, str(fault)) from None
        except RecursionError:
            raise error_at(self.text, self.here, "the template is nested too deeply") from None
        return "".join(self.parts)

    def _run(self, definition: Definition, data: Any) -> None:
        outer = self.frame
        self.frame = [MISSING] * definition.slots
        self.frame[0] = data
        self._walk(definition.body, data)
        self.frame = outer

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > NESTING:
            raise Fault(f"blocks, parentheses and templates are nested deeper than {NESTING} levels")

    def _write(self, text: str) -> None:
        self.length += len(text)
        if self.length > self.longest:
            raise Fault(f"the rendered text is longer than {self.longest} characters")
        self.parts.append(text)

    def _walk(self, body: Body, dot: Any) -> _Left | None:
        for node in body:
            self.budget.left -= 1
            left = self._node(node, dot)
            if left is not None:
                return left
        return None

    def _node(self, node: Node, dot: Any) -> _Left | None:
        self.here = node.at
        match node:
            case Text():
                self._write(node.text)
            case Print():
                value = self._pipeline(node.pipeline, dot)
                if not node.pipeline.slots:
                    self.here = node.pipeline.at
                    self._write(printed(value, self.budget))
            case Branch():
                return self._branch(node, dot)
            case Loop():
                return self._loop(node, dot)
            case Include():
                self._include(node, dot)
            case Leave():
                self.budget.charge(1)
                return _Left.CONTINUE if node.goes_on else _Left.BREAK
        return None

    def _branch(self, node: Branch, dot: Any) -> _Left | None:
        self._deeper()
        left: _Left | None = None
        for condition, body in node.clauses:
            value = self._pipeline(condition, dot)
            if is_true(value):
                left = self._walk(body, value if node.sets_dot else dot)
                break
        else:
            left = self._walk(node.otherwise, dot)
        self.depth -= 1
        return left

    def _loop(self, node: Loop, dot: Any) -> _Left | None:
        self._deeper()
        slots = node.over.slots
        value = self._pipeline(node.over, dot, assigns=False)
        self.here = node.over.at
        empty = True
        left: _Left | None = None
        for key, one in self._items(value, len(slots)):
            empty = False
            self.budget.charge(1)
            if len(slots) == 2:
                self.frame[slots[0]] = key
            if slots:
                self.frame[slots[-1]] = one
            if self._walk(node.body, one) is _Left.BREAK:
                break
        if empty:
            # An else belongs to the loop around this one.
            left = self._walk(node.otherwise, dot)
        self.depth -= 1
        return left

    def _items(self, value: Any, variables: int) -> Iterable[tuple[Any, Any]]:
        """Keys and elements of what is ranged over."""
        match value:
            case list():
                return enumerate(value.copy())
            case dict():
                self.budget.charge(len(value))
                return [(key, value[key]) for key in sorted(value)]
            case None:
                return ()
            case int() | float() if not isinstance(value, bool) and (isinstance(value, int) or value.is_integer()):
                if variables == 2:
                    raise Fault("a range over a number sets one variable only")
                return ((number, number) for number in range(int(value)))
        if value is MISSING:
            return ()
        raise Fault(f"range can't iterate over {type_name(value)}: it takes a list, a map or a whole number")

    def _include(self, node: Include, dot: Any) -> None:
        definition = self.tree.named.get(node.name)
        if definition is None:
            raise Fault(f"the template {node.name!r} is not defined")
        self._deeper()
        self.budget.charge(1)
        self._run(definition, MISSING if node.argument is None else self._pipeline(node.argument, dot))
        self.depth -= 1

    def _pipeline(self, pipeline: Pipeline, dot: Any, *, assigns: bool = True) -> Any:
        value: Any = _NO_FINAL
        for command in pipeline.commands:
            value = self._command(command, dot, value)
        if assigns:
            for slot in pipeline.slots:
                self.frame[slot] = value
        return value

    def _command(self, command: Command, dot: Any, final: Any) -> Any:
        head, *rest = command.operands
        self.here = command.at
        if isinstance(head, Call):
            return self._call(head, rest, dot, final)
        if final is not _NO_FINAL:
            raise Fault("what comes through the pipe has no function to take it")
        if isinstance(head, Constant) and head.value is None:
            raise Fault("nil is not a command")
        return self._operand(head, dot)

    def _operand(self, operand: Operand, dot: Any) -> Any:
        self.budget.left -= 1
        match operand:
            case Constant():
                return operand.value
            case Dot():
                return dot
            case Variable():
                return self.frame[operand.slot]
            case Fields():
                value = self._operand(operand.of, dot)
                self.here = operand.at
                for name in operand.names:
                    value = _field(value, name)
                return value
            case Pipeline():
                self._deeper()
                value = self._pipeline(operand, dot)
                self.depth -= 1
                return value
            case Call():
                return self._call(operand, [], dot, _NO_FINAL)

    def _call(self, head: Call, operands: list[Operand], dot: Any, final: Any) -> Any:
        if head.function is None:
            return self._either(head, operands, dot, final)
        arguments = [self._operand(operand, dot) for operand in operands]
        if final is not _NO_FINAL:
            arguments.append(final)
        self.here = head.at
        given = [None if value is MISSING else value for value in arguments]
        result = called(head.function, head.name, given, self.budget)
        self.budget.charge_for(result)
        return result

    def _either(self, head: Call, operands: list[Operand], dot: Any, final: Any) -> Any:
        """`and` and `or`, which evaluate no further than they have to."""
        if not operands and final is _NO_FINAL:
            raise Fault(f"{head.name} takes at least 1 argument")
        decides = head.name == "or"
        value: Any = None
        for operand in operands:
            value = self._operand(operand, dot)
            if is_true(value) is decides:
                return value
        return value if final is _NO_FINAL else final


def _field(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name, MISSING)
    if value is None or value is MISSING:
        return MISSING
    if isinstance(value, Opaque):
        return value.field(name)
    hint = " (use index for the items of a list)" if isinstance(value, list) else ""
    raise Fault(f"can't read the field {name!r} of {type_name(value)}{hint}")
