-- The queue of an agent, in its order: who takes jobs asks for a page of it again and again, and all of it need not be sorted each time.
DROP INDEX read.job_by_agent;
CREATE INDEX job_by_agent ON read.job
  (workspace_id, (coalesce(doc ->> 'jobAgentId', '') COLLATE "C"), (coalesce(doc ->> 'status', '') COLLATE "C"),
   (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);
