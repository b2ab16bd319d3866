-- What a version would change. The texts of a result are rows of their own: whether a plan is through is asked without them.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['plan', 'plan_target', 'plan_result', 'plan_text'] LOOP
    EXECUTE format(
      'CREATE TABLE read.%I (
         workspace_id uuid   NOT NULL,
         id           text   COLLATE "C" NOT NULL,
         since        bigint NOT NULL,  -- position of the fact that made the row
         doc          jsonb  NOT NULL,
         PRIMARY KEY (workspace_id, id)
       )', name);
    EXECUTE format(
      'CREATE INDEX %I ON read.%I (workspace_id, (coalesce(doc ->> ''$deployment'', '''') COLLATE "C"))',
      name || '_by_deployment', name);
  END LOOP;
END
$$;

CREATE INDEX plan_target_by_plan ON read.plan_target (workspace_id, (coalesce(doc ->> '$plan', '') COLLATE "C"));
CREATE INDEX plan_result_by_plan ON read.plan_result (workspace_id, (coalesce(doc ->> '$plan', '') COLLATE "C"));
