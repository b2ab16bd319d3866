-- Whose is a job, or a run outside? Webhooks name it, and no workspace.
CREATE INDEX job_by_id ON read.job (id);
-- What others call their runs has no length limit, an entry of a tree index has one: hashed.
CREATE INDEX job_by_external_id ON read.job USING hash ((coalesce(doc ->> 'externalId', '') COLLATE "C"))
  WHERE doc ->> 'externalId' IS NOT NULL;
