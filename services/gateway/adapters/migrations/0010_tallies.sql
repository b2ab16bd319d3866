-- How many jobs stand how, by agent and by what they are of. Kept with every change: nobody counts a history to show a number.
CREATE TABLE read.job_tally (
  workspace_id uuid   NOT NULL,
  agent        text   COLLATE "C" NOT NULL,
  deployment   text   COLLATE "C" NOT NULL,
  environment  text   COLLATE "C" NOT NULL,
  status       text   COLLATE "C" NOT NULL,
  jobs         bigint NOT NULL,
  PRIMARY KEY (workspace_id, agent, deployment, environment, status)
);

-- Once for each statement, however many rows that changes.
CREATE FUNCTION read.tally_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO read.job_tally AS known
      SELECT workspace_id, coalesce(doc ->> 'jobAgentId', ''), coalesce(doc ->> '$deployment', ''), coalesce(doc ->> '$environment', ''),
        coalesce(doc ->> 'status', ''), count(*)
      FROM made GROUP BY 1, 2, 3, 4, 5
      ON CONFLICT (workspace_id, agent, deployment, environment, status) DO UPDATE SET jobs = known.jobs + excluded.jobs;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO read.job_tally AS known
      SELECT workspace_id, coalesce(doc ->> 'jobAgentId', ''), coalesce(doc ->> '$deployment', ''), coalesce(doc ->> '$environment', ''),
        coalesce(doc ->> 'status', ''), -count(*)
      FROM gone GROUP BY 1, 2, 3, 4, 5
      ON CONFLICT (workspace_id, agent, deployment, environment, status) DO UPDATE SET jobs = known.jobs + excluded.jobs;
  END IF;
  IF TG_OP = 'DELETE' THEN
    -- What was deleted is not heard of again.
    DELETE FROM read.job_tally WHERE jobs = 0 AND workspace_id IN (SELECT workspace_id FROM gone);
  END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER tally_made AFTER INSERT ON read.job REFERENCING NEW TABLE AS made
  FOR EACH STATEMENT EXECUTE FUNCTION read.tally_jobs();
CREATE TRIGGER tally_changed AFTER UPDATE ON read.job REFERENCING OLD TABLE AS gone NEW TABLE AS made
  FOR EACH STATEMENT EXECUTE FUNCTION read.tally_jobs();
CREATE TRIGGER tally_gone AFTER DELETE ON read.job REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION read.tally_jobs();

INSERT INTO read.job_tally
  SELECT workspace_id, coalesce(doc ->> 'jobAgentId', ''), coalesce(doc ->> '$deployment', ''), coalesce(doc ->> '$environment', ''),
    coalesce(doc ->> 'status', ''), count(*)
  FROM read.job GROUP BY 1, 2, 3, 4, 5;

-- What a provider owns in the order of change: the newest of it is found without looking at the others.
DROP INDEX read.resource_by_provider;
CREATE INDEX resource_by_provider ON read.resource
  (workspace_id, (coalesce(doc ->> 'providerId', '') COLLATE "C"), (coalesce(doc ->> 'updatedAt', '') COLLATE "C"), since);
