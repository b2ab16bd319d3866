-- What people look for in the log: facts of some types, and what a fact led to. What led to a fact is found by its id.
CREATE INDEX event_by_type ON es.event (workspace_id, type, position);
CREATE INDEX event_by_cause ON es.event (workspace_id, ((meta ->> 'causationid') COLLATE "C"), position);
