-- The read tables: a projection of the log, rebuilt from it at any time.
-- Every table has the same columns, so that one writer serves them all; what differs is how rows are looked up, by indexes over the
-- document. Text is compared by code point (collation "C"): times are written so that they sort as text.
CREATE SCHEMA read;

CREATE TABLE read.checkpoint (
  workspace_id uuid   PRIMARY KEY,
  position     bigint NOT NULL
);

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'system', 'link', 'deployment', 'deployment_variable', 'deployment_variable_value', 'environment', 'provider', 'resource',
    'resource_variables', 'variable_set', 'relationship_rule', 'version', 'dependency', 'agent', 'policy', 'release', 'target', 'pin',
    'mark', 'job', 'verification', 'measurement', 'history'
  ] LOOP
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

-- Lists in order of age.
CREATE INDEX system_by_age ON read.system (workspace_id, (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);
CREATE INDEX deployment_by_age ON read.deployment (workspace_id, (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);
CREATE INDEX environment_by_age ON read.environment (workspace_id, (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);
CREATE INDEX agent_by_age ON read.agent (workspace_id, (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);
CREATE INDEX policy_by_age ON read.policy (workspace_id, (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);
CREATE INDEX resource_by_age ON read.resource (workspace_id, (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);
CREATE INDEX job_by_age ON read.job (workspace_id, (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);

-- Look-ups.
CREATE INDEX link_by_system ON read.link (workspace_id, (coalesce(doc ->> 'systemId', '') COLLATE "C"));
CREATE INDEX link_by_entity ON read.link (workspace_id, (coalesce(doc ->> '$entity', '') COLLATE "C"));
CREATE INDEX deployment_variable_by_deployment ON read.deployment_variable
  (workspace_id, (coalesce(doc ->> 'deploymentId', '') COLLATE "C"));
CREATE INDEX deployment_variable_value_by_variable ON read.deployment_variable_value
  (workspace_id, (coalesce(doc ->> 'deploymentVariableId', '') COLLATE "C"));
CREATE INDEX dependency_by_version ON read.dependency (workspace_id, (coalesce(doc ->> 'deploymentVersionId', '') COLLATE "C"));
CREATE INDEX mark_by_target ON read.mark (workspace_id, (coalesce(doc ->> '$target', '') COLLATE "C"));
-- Names and identifiers have no length limit, an entry of a tree index has one: hashed.
CREATE INDEX deployment_by_name ON read.deployment USING hash ((coalesce(doc ->> 'name', '') COLLATE "C"));
CREATE INDEX environment_by_name ON read.environment USING hash ((coalesce(doc ->> 'name', '') COLLATE "C"));
CREATE INDEX provider_by_name ON read.provider USING hash ((coalesce(doc ->> 'name', '') COLLATE "C"));
CREATE INDEX resource_by_identifier ON read.resource USING hash ((coalesce(doc ->> 'identifier', '') COLLATE "C"));
CREATE INDEX resource_by_provider ON read.resource (workspace_id, (coalesce(doc ->> 'providerId', '') COLLATE "C"));
CREATE INDEX version_by_deployment ON read.version
  (workspace_id, (coalesce(doc ->> 'deploymentId', '') COLLATE "C"), (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);
CREATE INDEX target_by_pair ON read.target (workspace_id, (coalesce(doc ->> '$pair', '') COLLATE "C"));
CREATE INDEX target_by_resource ON read.target (workspace_id, (coalesce(doc ->> '$resource', '') COLLATE "C"));
CREATE INDEX job_by_target ON read.job
  (workspace_id, (coalesce(doc ->> '$target', '') COLLATE "C"), (coalesce(doc ->> '$createdAt', '') COLLATE "C"), since);
CREATE INDEX job_by_agent ON read.job
  (workspace_id, (coalesce(doc ->> 'jobAgentId', '') COLLATE "C"), (coalesce(doc ->> 'status', '') COLLATE "C"));
CREATE INDEX verification_by_job ON read.verification (workspace_id, (coalesce(doc ->> 'jobId', '') COLLATE "C"));
CREATE INDEX measurement_by_verification ON read.measurement
  (workspace_id, (coalesce(doc ->> '$verification', '') COLLATE "C"));
CREATE INDEX history_by_entity ON read.history (workspace_id, (coalesce(doc ->> '$of', '') COLLATE "C"), since);
