"""Our log under the `eventsourcing` package: the test cases that the package publishes for recorders, on both logs.

Run as they are: ApplicationRecorderTestCase (with its optional case for subscriptions), AggregateRecorderTestCase, and
NonInterleavingNotificationIDsBaseCase. Not run: the cases of tracking and process recorders, because the log has neither (consumers keep
their place in checkpoints that move together with what they append), and those of infrastructure factories, which ask for these two
and for ciphers. What the factory does instead is tested at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import InfrastructureFactory, InfrastructureFactoryError, IntegrityError, StoredEvent

from libs.eventlog.memory import MemoryLog
from libs.eventlog.recorder import LogAggregateRecorder, LogApplicationRecorder, LogFactory
from libs.eventlog.recorder_store import MemoryStore, PostgresStore, Store
from tests.conformance.eventlog import published_cases
from tests.conformance.eventlog.builders import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

cases: Any = published_cases.load()


class OnMemory:
    """Recorders of an empty workspace in memory."""

    def make_store(self) -> Store:
        return MemoryStore(MemoryLog(), workspace())


class OnPostgres:
    """Recorders of an empty workspace in Postgres, closed after the test."""

    @pytest.fixture(autouse=True)
    def _postgres(self, postgres: str) -> Iterator[None]:
        self.conninfo = postgres
        self.stores: list[Store] = []
        yield
        for store in self.stores:
            store.close()

    def make_store(self) -> Store:
        self.stores.append(PostgresStore(self.conninfo, workspace()))
        return self.stores[-1]


class ApplicationCases(cases.ApplicationRecorderTestCase):
    def create_recorder(self) -> LogApplicationRecorder:
        return LogApplicationRecorder(self.make_store())

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class AggregateCases(cases.AggregateRecorderTestCase):
    def create_recorder(self) -> LogAggregateRecorder:
        return LogAggregateRecorder(self.make_store())


class NonInterleavingCases(cases.NonInterleavingNotificationIDsBaseCase):
    # More than one call of es.append, so that two long inserts could interleave if the head were not locked between them.
    insert_num = 1500

    def create_recorder(self) -> LogApplicationRecorder:
        return LogApplicationRecorder(self.make_store())


class TestApplicationRecorderOnMemory(OnMemory, ApplicationCases): ...


class TestAggregateRecorderOnMemory(OnMemory, AggregateCases): ...


class TestNonInterleavingOnMemory(OnMemory, NonInterleavingCases): ...


@pytest.mark.integration
class TestApplicationRecorderOnPostgres(OnPostgres, ApplicationCases): ...


@pytest.mark.integration
class TestAggregateRecorderOnPostgres(OnPostgres, AggregateCases): ...


@pytest.mark.integration
class TestNonInterleavingOnPostgres(OnPostgres, NonInterleavingCases): ...


# The cases are abstract here; only the classes above, which have a store, are collected.
del ApplicationCases, AggregateCases, NonInterleavingCases


class Dog(Aggregate):
    """An aggregate as the documentation of the package has it."""

    @event("Registered")
    def __init__(self, name: str) -> None:
        self.name = name
        self.tricks: list[str] = []

    @event("TrickAdded")
    def add_trick(self, trick: str) -> None:
        self.tricks.append(trick)


def settings_of(conninfo: str | None) -> dict[str, str]:
    found = {"PERSISTENCE_MODULE": "libs.eventlog.recorder", "EVENTLOG_WORKSPACE": workspace()}
    return found if conninfo is None else {**found, "EVENTLOG_CONNINFO": conninfo}


def test_an_application_of_the_package_works_on_the_log(conninfo: str | None) -> None:
    with Application[UUID](env=settings_of(conninfo)) as app:
        dog = Dog("Rex")
        dog.add_trick("roll over")
        app.save(dog)
        stale = app.repository.get(dog.id)
        dog.add_trick("play dead")
        app.save(dog)
        copy = app.repository.get(dog.id)
        assert isinstance(copy, Dog)
        assert (copy.name, copy.tricks) == ("Rex", ["roll over", "play dead"])
        assert [one.id for one in app.notification_log.select(start=1, limit=10)] == [1, 2, 3]
        assert isinstance(stale, Dog)
        stale.add_trick("bark")
        with pytest.raises(IntegrityError):
            app.save(stale)
        with pytest.raises(AggregateNotFoundError):
            app.repository.get(uuid4())


@pytest.mark.parametrize(
    "state", [b'{"a": 1}', b"[]", b"", b"\x00\xff", b'{"n": "\\u0000"}', b'{"$base64": "AAAA"}', b'{"x": NaN}']
)
def test_a_state_comes_back_whatever_it_is(conninfo: str | None, state: bytes) -> None:
    factory = LogFactory(settings_of(conninfo))
    recorder = factory.application_recorder()
    stored = StoredEvent("dog/rex", 1, "registered", state)
    assert recorder.insert_events([stored]) == [1]
    assert recorder.insert_events([]) == []
    assert recorder.select_events("dog/rex") == [stored]
    factory.close()


def test_the_factory_names_what_it_does_not_make(conninfo: str | None) -> None:
    factory: InfrastructureFactory[Any] = InfrastructureFactory.construct(settings_of(conninfo))
    assert isinstance(factory, LogFactory)
    with pytest.raises(InfrastructureFactoryError, match="checkpoints"):
        factory.tracking_recorder()
    with pytest.raises(InfrastructureFactoryError, match="checkpoints"):
        factory.process_recorder()
    with pytest.raises(InfrastructureFactoryError, match="not snapshots"):
        factory.aggregate_recorder("snapshots")
    assert isinstance(factory.aggregate_recorder(), LogAggregateRecorder)
    factory.close()


def test_the_factory_needs_a_workspace() -> None:
    with pytest.raises(InfrastructureFactoryError, match="EVENTLOG_WORKSPACE is not set"):
        InfrastructureFactory.construct({"PERSISTENCE_MODULE": "libs.eventlog.recorder"})
