-- What people stop, and what they let pass all the same.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['freeze', 'freeze_override', 'skip'] LOOP
    EXECUTE format(
      'CREATE TABLE read.%I (
         workspace_id uuid   NOT NULL,
         id           text   COLLATE "C" NOT NULL,
         since        bigint NOT NULL,  -- position of the fact that made the row
         doc          jsonb  NOT NULL,
         PRIMARY KEY (workspace_id, id)
       )', name);
  END LOOP;
END
$$;

CREATE INDEX freeze_by_age ON read.freeze (workspace_id, (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);
CREATE INDEX freeze_by_state ON read.freeze (workspace_id, (coalesce(doc ->> '$state', '') COLLATE "C"));
CREATE INDEX freeze_override_by_freeze ON read.freeze_override (workspace_id, (coalesce(doc ->> 'freezeId', '') COLLATE "C"));
CREATE INDEX skip_by_age ON read.skip (workspace_id, (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);
CREATE INDEX skip_by_version ON read.skip (workspace_id, (coalesce(doc ->> 'versionId', '') COLLATE "C"));
CREATE INDEX skip_by_environment ON read.skip (workspace_id, (coalesce(doc ->> 'environmentId', '') COLLATE "C"));
CREATE INDEX skip_by_resource ON read.skip (workspace_id, (coalesce(doc ->> 'resourceId', '') COLLATE "C"));
