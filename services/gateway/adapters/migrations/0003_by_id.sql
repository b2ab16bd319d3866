-- Whose is an id? Asked before something is created under an id that the client chose.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'system', 'deployment', 'deployment_variable', 'deployment_variable_value', 'environment', 'relationship_rule', 'agent', 'policy'
  ] LOOP
    EXECUTE format('CREATE INDEX %I ON read.%I (id)', name || '_by_id', name);
  END LOOP;
END
$$;
