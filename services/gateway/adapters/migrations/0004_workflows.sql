-- What people run by hand.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['workflow', 'workflow_run'] LOOP
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

CREATE INDEX workflow_by_age ON read.workflow (workspace_id, (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);
CREATE INDEX workflow_by_slug ON read.workflow (workspace_id, (coalesce(doc ->> 'slug', '') COLLATE "C"));
CREATE INDEX workflow_by_id ON read.workflow (id);
CREATE INDEX workflow_run_by_age ON read.workflow_run (workspace_id, (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);
CREATE INDEX workflow_run_by_workflow ON read.workflow_run (workspace_id, (coalesce(doc ->> 'workflowId', '') COLLATE "C"));
CREATE INDEX job_by_run ON read.job (workspace_id, (coalesce(doc ->> '$run', '') COLLATE "C"));
