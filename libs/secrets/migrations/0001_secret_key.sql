-- One key per workspace, which its secrets are sealed with. It is wrapped by a master key that is not in the database; `master` names
-- that key and tells nothing about it. Deleting the row destroys every secret of the workspace, in the log and in every backup of it
-- that does not hold the row.
CREATE TABLE es.secret_key (
  workspace_id uuid        PRIMARY KEY,
  master       text        NOT NULL,
  wrapped      bytea       NOT NULL,
  made_at      timestamptz NOT NULL DEFAULT now()
);
