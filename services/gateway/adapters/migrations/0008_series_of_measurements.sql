-- Measurements of a metric in the order in which they were taken: a page of them need not sort all.
-- Rows that are there already get their series from a rebuild.
DROP INDEX read.measurement_by_verification;
CREATE INDEX measurement_by_series ON read.measurement
  (workspace_id, (coalesce(doc ->> '$series', '') COLLATE "C"), (coalesce(doc ->> 'measuredAt', '') COLLATE "C"), since);
