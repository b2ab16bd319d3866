"""What of a policy's metrics can be checked when it is saved, beside their expressions: so that none is saved that could never be measured
or judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from contracts.command import Refused
from contracts.commands.policy.policies import SavePolicy
from contracts.shapes import Baseline, MetricSpec, Verification
from libs import metric_providers
from libs.metric_providers.port import PLAIN, SECRET, is_marked
from libs.template import TemplateError, parse
from services.policy.metric_conditions import Problem, problems_of

LONGEST_NAME: Final = 256
"""Characters of a metric's name, which every fact about its measurements repeats."""

MOST_METRICS: Final = 500
"""Metrics of one rule: facts about its verification say more of each than the policy does."""


def check_metrics(wish: SavePolicy) -> None:
    """Check the metrics of a policy.

    Raises:
        Refused: `invalid` with code INVALID_METRIC; `details` lists `{path, message}` of everything that is wrong.
    """
    found: dict[str, str] = {}  # of one place the first thing is told
    for index, rule in enumerate(wish.rules):
        if rule.verification is not None:
            at = f"/body/rules/{index}/verification"
            for where, message in _problems(rule.verification):
                found.setdefault(f"{at}/{where}", message)
    if found:
        details = [{"path": path, "message": message} for path, message in found.items()]
        first = details[0]
        raise Refused("invalid", f"Invalid metric: {first['path']}: {first['message']}", code="INVALID_METRIC", details=details)


def _problems(body: Verification) -> Iterator[Problem]:
    if len(body.metrics) > MOST_METRICS:
        yield (
            "metrics",
            f"a rule may have {MOST_METRICS} metrics at most, this one has {len(body.metrics)}; put the others into another rule",
        )
        return
    for number, metric in enumerate(body.metrics):
        yield from ((f"metrics/{number}/{where}", message) for where, message in _of_metric(metric))
    yield from _of_names(body)
    soonest = min(metric.interval_seconds for metric in body.metrics)
    if body.continue_seconds is not None and body.continue_seconds < soonest:
        yield (
            "continueSeconds",
            f"in the {body.continue_seconds} seconds after passing nothing would be measured: the shortest interval of a metric is {soonest}",
        )


def _of_names(body: Verification) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for number, metric in enumerate(body.metrics):
        same = first.setdefault(metric.name, number)
        if same != number and metric.name.strip():
            yield (
                f"metrics/{number}/name",
                f"metrics/{same} is named {metric.name[:100]!r} too; a rule's metrics are told apart by their names",
            )


def _of_metric(metric: MetricSpec) -> Iterator[Problem]:
    if not metric.name.strip():
        yield "name", "it is empty; a metric is told by its name, so give it one, for example error-rate"
    if len(metric.name) > LONGEST_NAME:
        yield "name", f"the name has {len(metric.name)} characters, at most {LONGEST_NAME} are allowed"
    if metric.minimum_samples is not None and metric.minimum_samples > metric.count:
        yield (
            "minimumSamples",
            f"it is measured {metric.count} times at most (count), so that {metric.minimum_samples} samples never come together",
        )
    if metric.baseline is not None:
        yield from ((f"baseline/{where}" if where else "baseline", message) for where, message in _of_baseline(metric.baseline))
    yield from problems_of(metric)
    yield from _of_template("successCondition", metric.success_condition)
    if metric.failure_condition:
        yield from _of_template("failureCondition", metric.failure_condition)
    yield from ((f"provider/{where}" if where else "provider", message) for where, message in _of_provider(metric))


def _of_baseline(body: Baseline) -> Iterator[Problem]:
    bounds = {"minRatio": body.min_ratio, "maxRatio": body.max_ratio, "minChange": body.min_change, "maxChange": body.max_change}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    if not given:
        yield "", f"without a bound nothing is compared: give at least one of {', '.join(bounds)}"
    for what in ("Ratio", "Change"):
        least, most = given.get(f"min{what}"), given.get(f"max{what}")
        if least is not None and most is not None and least > most:
            yield f"min{what}", f"{least:g} is more than max{what}, {most:g}: nothing lies between them"


def _of_provider(metric: MetricSpec) -> Iterator[Problem]:
    given = metric.provider.given
    yield from (
        ("/".join(_as_sent(where.split("/") if where else (), given)), message)
        for where, message in metric_providers.problems(metric.provider)
    )
    known = metric_providers.provider_of(metric.provider)
    if known is not None:
        yield from _of_templates("", {name: value for name, value in given.items() if name != "type"}, known.config)


def _of_templates(path: str, value: Any, model: type[BaseModel] | None, *, secret: bool = False) -> Iterator[Problem]:
    """What is wrong with the templates of a configuration. Texts of a field that is `PLAIN`, and of one that nobody knows, are none."""
    match value:
        case str():
            yield from _of_template(path, value, secret=secret)
        case dict():
            fields = _fields(model) if model is not None else None
            for name, inner in value.items():
                where = f"{path}/{_escaped(name)}" if path else _escaped(name)
                if fields is None:
                    yield from _of_templates(where, inner, None, secret=secret)
                elif (field := fields.get(name)) is not None and not is_marked(field, PLAIN):
                    yield from _of_templates(where, inner, _model_in(field.annotation), secret=secret or is_marked(field, SECRET))
        case list():
            for number, inner in enumerate(value):
                yield from _of_templates(f"{path}/{number}", inner, model, secret=secret)


def _of_template(path: str, text: str, *, secret: bool = False) -> Iterator[Problem]:
    try:
        parse(text)
    except TemplateError as error:
        # What is wrong may quote what is written there.
        said = f"the secret is no template at line {error.line}, column {error.column}; refer to it by ${{secret:…}}"
        yield path, said if secret else str(error)


def _fields(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """The fields of a model by every name that they may be sent by."""
    return {known: field for name, field in model.model_fields.items() for known in (name, field.alias or name)}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, be it one or a list of it; None where it holds none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is dict:
        return None
    return next((found for one in get_args(annotation) if (found := _model_in(one)) is not None), None)


def _as_sent(parts: Sequence[str], given: Any) -> Iterator[str]:
    """The parts of a path as the client wrote them: by the names that it sent, and without what only our model knows."""
    if not parts:
        return
    match given:
        case dict():
            for taken in range(len(parts), 0, -1):  # a name may hold what parts are joined with
                name = "/".join(parts[:taken])
                sent = next((one for one in (name, _snake(name)) if one in given), None)
                if sent is not None:
                    yield _escaped(sent)
                    yield from _as_sent(parts[taken:], given[sent])
                    return
            if len(parts) == 1 and not parts[0].startswith("["):
                yield _escaped(parts[0])  # it is missing
                return
        case list() if parts[0].isdecimal() and int(parts[0]) < len(given):
            yield parts[0]
            yield from _as_sent(parts[1:], given[int(parts[0])])
            return
    yield from _as_sent(parts[1:], given)


def _snake(name: str) -> str:
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in name)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
