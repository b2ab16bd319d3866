-- How many resources there are, by whom they were told of. Kept with every change, as the numbers of jobs are.
CREATE TABLE read.resource_tally (
  workspace_id uuid   NOT NULL,
  provider     text   COLLATE "C" NOT NULL,
  resources    bigint NOT NULL,
  PRIMARY KEY (workspace_id, provider)
);

-- Once for each statement, however many rows that changes. A change of what a resource is like, which is nearly every one, changes no number.
CREATE FUNCTION read.tally_resources() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO read.resource_tally AS known
      SELECT workspace_id, coalesce(doc ->> 'providerId', ''), count(*) FROM made GROUP BY 1, 2
      ON CONFLICT (workspace_id, provider) DO UPDATE SET resources = known.resources + excluded.resources;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO read.resource_tally AS known
      SELECT workspace_id, provider, sum(number) FROM (
        SELECT workspace_id, coalesce(doc ->> 'providerId', '') AS provider, 1 AS number FROM made
        UNION ALL SELECT workspace_id, coalesce(doc ->> 'providerId', ''), -1 FROM gone
      ) AS moved GROUP BY 1, 2 HAVING sum(number) <> 0
      ON CONFLICT (workspace_id, provider) DO UPDATE SET resources = known.resources + excluded.resources;
  ELSE
    UPDATE read.resource_tally AS known SET resources = known.resources - moved.resources
      FROM (SELECT workspace_id, coalesce(doc ->> 'providerId', '') AS provider, count(*) AS resources FROM gone GROUP BY 1, 2) AS moved
      WHERE known.workspace_id = moved.workspace_id AND known.provider = moved.provider;
    -- What was deleted is not heard of again.
    DELETE FROM read.resource_tally WHERE resources = 0 AND workspace_id IN (SELECT workspace_id FROM gone);
  END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER tally_made AFTER INSERT ON read.resource REFERENCING NEW TABLE AS made
  FOR EACH STATEMENT EXECUTE FUNCTION read.tally_resources();
CREATE TRIGGER tally_changed AFTER UPDATE ON read.resource REFERENCING OLD TABLE AS gone NEW TABLE AS made
  FOR EACH STATEMENT EXECUTE FUNCTION read.tally_resources();
CREATE TRIGGER tally_gone AFTER DELETE ON read.resource REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION read.tally_resources();

INSERT INTO read.resource_tally
  SELECT workspace_id, coalesce(doc ->> 'providerId', ''), count(*) FROM read.resource GROUP BY 1, 2;
