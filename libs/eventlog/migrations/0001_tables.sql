-- The log and what is kept beside it. Ids are uuids, times are UTC, positions count 1, 2, 3 … inside a workspace.

-- One row per workspace: its row lock serialises the appends of that workspace, and of no other. The low fill factor lets the row
-- be updated in place for ever.
CREATE TABLE es.workspace_head (
  workspace_id uuid   PRIMARY KEY,
  position     bigint NOT NULL DEFAULT 0 CHECK (position >= 0)
) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

CREATE TABLE es.event (
  workspace_id uuid        NOT NULL,
  position     bigint      NOT NULL,             -- without gaps, in commit order
  id           uuid        NOT NULL,
  type         text        COLLATE "C" NOT NULL, -- wire name
  stream       text        COLLATE "C" NOT NULL, -- the thing it is about, '<kind>/<id>'
  -- Ascending and unique in the stream. Facts of the services take their position, which is both without a look-up; streams of
  -- the eventsourcing recorder count 1, 2, 3 … and get their optimistic concurrency from the unique key.
  version      bigint      NOT NULL,
  occurred_at  timestamptz NOT NULL,
  recorded_at  timestamptz NOT NULL,
  meta         jsonb       NOT NULL,             -- correlationid, causationid, authid, traceparent
  data         jsonb       NOT NULL,
  PRIMARY KEY (workspace_id, position),
  CONSTRAINT event_id_key UNIQUE (workspace_id, id),
  CONSTRAINT event_version_key UNIQUE (workspace_id, stream, version)
);

-- What a conditional append asks: is there anything newer about this?
CREATE TABLE es.event_tag (
  workspace_id uuid   NOT NULL,
  tag          text   COLLATE "C" NOT NULL,
  position     bigint NOT NULL,
  PRIMARY KEY (workspace_id, tag, position)
);

-- A retried command gets the first answer.
CREATE TABLE es.command (
  workspace_id uuid        NOT NULL,
  command_id   uuid        NOT NULL,
  name         text        NOT NULL,
  answer       json        NOT NULL,             -- json, not jsonb: given back byte for byte
  head         bigint      NOT NULL,
  answered_at  timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, command_id)
);

-- Up to where a consumer has decided, and how many rounds it has recorded. Moved only by compare-and-set.
CREATE TABLE es.checkpoint (
  consumer     text   COLLATE "C" NOT NULL,
  workspace_id uuid   NOT NULL,
  position     bigint NOT NULL DEFAULT 0,
  sequence     bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (consumer, workspace_id)
) WITH (fillfactor = 30, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

-- What led to the facts first_pos..last_pos (none when first_pos > last_pos), so that it can be decided again.
CREATE TABLE es.decision (
  workspace_id uuid   NOT NULL,
  consumer     text   COLLATE "C" NOT NULL,
  sequence     bigint NOT NULL,
  first_pos    bigint NOT NULL,
  last_pos     bigint NOT NULL,
  decision     json   NOT NULL,
  PRIMARY KEY (workspace_id, consumer, sequence)
);

-- A cache of folded state, in chunks of at most 8 MB; may be emptied at any time.
CREATE TABLE es.snapshot (
  consumer      text        COLLATE "C" NOT NULL,
  workspace_id  uuid        NOT NULL,
  position      bigint      NOT NULL,
  state_version int         NOT NULL,
  chunk         int         NOT NULL,
  state         bytea       NOT NULL,
  saved_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, workspace_id, position, state_version, chunk)
);
-- States are packed by whoever saves them; trying to compress them again would only cost time.
ALTER TABLE es.snapshot ALTER COLUMN state SET STORAGE EXTERNAL;

-- Facts that a consumer could not handle. A person who has dealt with one sets resolved_at.
CREATE TABLE es.parked (
  consumer     text        COLLATE "C" NOT NULL,
  workspace_id uuid        NOT NULL,
  position     bigint      NOT NULL,
  attempts     int         NOT NULL DEFAULT 1,
  error        text        NOT NULL,
  parked_at    timestamptz NOT NULL DEFAULT now(),
  resolved_at  timestamptz,
  PRIMARY KEY (consumer, workspace_id, position)
);

-- Payloads of commands that are too large for the bus, until their command was answered (dropped a day later).
CREATE TABLE es.staged (
  id        text        COLLATE "C" PRIMARY KEY,
  payload   bytea       NOT NULL,
  staged_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX staged_age ON es.staged (staged_at);
ALTER TABLE es.staged ALTER COLUMN payload SET STORAGE EXTERNAL;

CREATE FUNCTION es.forbid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%.% is append-only: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP;
END $$;

CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON es.event
  FOR EACH STATEMENT EXECUTE FUNCTION es.forbid();
CREATE TRIGGER event_tag_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON es.event_tag
  FOR EACH STATEMENT EXECUTE FUNCTION es.forbid();
