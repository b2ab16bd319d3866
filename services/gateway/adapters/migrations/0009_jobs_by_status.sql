-- The page of all jobs: by how they stand, of a deployment, in an environment. The key of a target is resource, environment and
-- deployment, 36 characters each, joined by dashes.
UPDATE read.job SET doc = doc || jsonb_build_object('$environment', substr(doc ->> '$target', 38, 36), '$deployment', substr(doc ->> '$target', 75))
  WHERE doc ? '$target' AND NOT doc ? '$deployment';
CREATE INDEX job_by_status ON read.job
  (workspace_id, (coalesce(doc ->> 'status', '') COLLATE "C"), (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);
CREATE INDEX job_by_deployment ON read.job
  (workspace_id, (coalesce(doc ->> '$deployment', '') COLLATE "C"), (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);
