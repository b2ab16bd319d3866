-- Appends a group of requests in one round trip, in the order given. Each request is recorded or refused as a whole, and a refused one
-- writes nothing and disturbs no other: everything is checked before anything is written, so that an expected conflict is an answer
-- and not an error that would end the transaction.
--
-- One array element per request unless said otherwise; facts, conditions and tags are flat, with the number of their request (1, 2 …).
-- Empty text, empty bytes and -1 stand for "none", so that the types of the parameters are always the same.
--
-- Locks: all checkpoints first, then all heads, both in one order, so that two groups of two processes never wait for each other in
-- a circle. A head stays locked until commit; that is what makes positions gapless and visible in order.
--
-- Requests of one consumer in one call follow one another: after one that was not recorded none of the others is ('moved'). That the
-- checkpoint stands where the next one goes on from says nothing then: another owner may have brought it there.
--
-- Result, per request: 'ok' and the new head; 'repeated', the head that the command reached and its answer; 'moved'; 'condition'.
CREATE FUNCTION es.append(
  p_workspaces      uuid[],        -- the distinct workspaces of the group, ascending
  p_workspace       bigint[],      -- place of the request's workspace in p_workspaces
  p_count           bigint[],      -- facts of the request that are sent with this call
  p_total           bigint[],      -- facts of the whole request; more than p_count when further calls of this transaction bring the rest
  p_consumer        text[],
  p_old_position    bigint[],
  p_old_sequence    bigint[],
  p_new_position    bigint[],
  p_new_sequence    bigint[],
  p_decision        bytea[],
  p_command         text[],
  p_command_name    text[],
  p_answer          bytea[],
  p_tested_request  bigint[],      -- per tag of a condition
  p_tested_tag      text[],
  p_tested_after    bigint[],
  p_request         bigint[],      -- per fact
  p_ordinal         bigint[],      -- place of the fact among those of its request, from 1
  p_id              uuid[],
  p_type            text[],
  p_stream          text[],
  p_version         bigint[],
  p_occurred_at     timestamptz[],
  p_meta            bytea[],
  p_data            bytea[],
  p_tag_request     bigint[],      -- per tag of a fact
  p_tag_ordinal     bigint[],
  p_tag             text[]
) RETURNS TABLE (result text, reached bigint, recorded timestamptz, kept text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_heads     bigint[];
  v_base      bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(p_workspace)]);
  v_place     bigint;
  v_workspace uuid;
  v_head      bigint;
  v_facts     boolean := false;
  v_broken    text[] := '{}';
BEGIN
  IF cardinality(array_remove(p_consumer, '')) > 0 THEN
    INSERT INTO es.checkpoint AS c (consumer, workspace_id)
      SELECT DISTINCT r.consumer, p_workspaces[r.place]
      FROM unnest(p_consumer, p_workspace, p_old_position, p_old_sequence) AS r(consumer, place, position, sequence)
      WHERE r.consumer <> '' AND r.position = 0 AND r.sequence = 0
        AND NOT EXISTS (SELECT FROM es.checkpoint e WHERE e.consumer = r.consumer AND e.workspace_id = p_workspaces[r.place])
      ORDER BY 2, 1
      ON CONFLICT DO NOTHING;
    PERFORM FROM es.checkpoint c
      WHERE (c.consumer, c.workspace_id) IN
        (SELECT r.consumer, p_workspaces[r.place] FROM unnest(p_consumer, p_workspace) AS r(consumer, place))
      ORDER BY c.workspace_id, c.consumer FOR UPDATE;
  END IF;

  v_heads := ARRAY(SELECT h.position FROM es.workspace_head h
                   WHERE h.workspace_id = ANY (p_workspaces) ORDER BY h.workspace_id FOR UPDATE);
  IF cardinality(v_heads) < cardinality(p_workspaces) THEN
    INSERT INTO es.workspace_head (workspace_id) SELECT w FROM unnest(p_workspaces) AS w ORDER BY w ON CONFLICT DO NOTHING;
    v_heads := ARRAY(SELECT h.position FROM es.workspace_head h
                     WHERE h.workspace_id = ANY (p_workspaces) ORDER BY h.workspace_id FOR UPDATE);
  END IF;
  recorded := clock_timestamp();

  FOR r IN 1 .. cardinality(p_workspace) LOOP
    v_place := p_workspace[r];
    v_workspace := p_workspaces[v_place];
    v_head := v_heads[v_place];
    result := 'ok';
    kept := NULL;
    reached := v_head;

    IF p_command[r] <> '' THEN
      SELECT c.answer::text, c.head INTO kept, reached FROM es.command c
        WHERE c.workspace_id = v_workspace AND c.command_id = p_command[r]::uuid;
      IF FOUND THEN
        result := 'repeated';
      END IF;
    END IF;
    IF result = 'ok' AND p_consumer[r] <> '' THEN
      PERFORM FROM es.checkpoint c
        WHERE c.consumer = p_consumer[r] AND c.workspace_id = v_workspace
          AND c.position = p_old_position[r] AND c.sequence = p_old_sequence[r]
          AND p_consumer[r] || '/' || v_workspace <> ALL (v_broken);
      IF NOT FOUND THEN
        result := 'moved';
      END IF;
    END IF;
    IF result = 'ok' AND r = ANY (p_tested_request) THEN
      IF EXISTS (SELECT FROM unnest(p_tested_request, p_tested_tag, p_tested_after) AS t(request, tag, after)
                 WHERE t.request = r AND EXISTS (SELECT FROM es.event_tag e WHERE e.workspace_id = v_workspace
                                                 AND e.tag = t.tag AND e.position > t.after)) THEN
        result := 'condition';
      END IF;
    END IF;

    IF result = 'ok' THEN
      reached := v_head + p_total[r];
      v_base[r] := v_head;
      v_heads[v_place] := v_head + p_count[r];
      v_facts := v_facts OR p_count[r] > 0;
      IF p_consumer[r] <> '' THEN
        UPDATE es.checkpoint c SET position = p_new_position[r], sequence = p_new_sequence[r]
          WHERE c.consumer = p_consumer[r] AND c.workspace_id = v_workspace;
        IF p_decision[r] <> '' THEN
          INSERT INTO es.decision (workspace_id, consumer, sequence, first_pos, last_pos, decision)
            VALUES (v_workspace, p_consumer[r], p_new_sequence[r], v_head + 1, reached, convert_from(p_decision[r], 'UTF8')::json);
        END IF;
      END IF;
      IF p_command[r] <> '' THEN
        INSERT INTO es.command (workspace_id, command_id, name, answer, head, answered_at)
          VALUES (v_workspace, p_command[r]::uuid, p_command_name[r], convert_from(p_answer[r], 'UTF8')::json, reached, recorded);
      END IF;
      IF r = ANY (p_tag_request) THEN
        INSERT INTO es.event_tag (workspace_id, tag, position)
          SELECT v_workspace, t.tag, v_head + t.ordinal
          FROM unnest(p_tag_request, p_tag_ordinal, p_tag) AS t(request, ordinal, tag) WHERE t.request = r;
      END IF;
    END IF;
    IF result <> 'ok' AND p_consumer[r] <> '' THEN
      v_broken := v_broken || (p_consumer[r] || '/' || v_workspace);
    END IF;
    RETURN NEXT;
  END LOOP;

  IF v_facts THEN
    INSERT INTO es.event (workspace_id, position, id, type, stream, version, occurred_at, recorded_at, meta, data)
      SELECT p_workspaces[p_workspace[f.request]], v_base[f.request] + f.ordinal, f.id, f.type, f.stream,
             CASE WHEN f.version < 0 THEN v_base[f.request] + f.ordinal ELSE f.version END,
             f.occurred_at, recorded, convert_from(f.meta, 'UTF8')::jsonb, convert_from(f.data, 'UTF8')::jsonb
      FROM unnest(p_request, p_ordinal, p_id, p_type, p_stream, p_version, p_occurred_at, p_meta, p_data)
        AS f(request, ordinal, id, type, stream, version, occurred_at, meta, data)
      WHERE v_base[f.request] IS NOT NULL;
    UPDATE es.workspace_head h SET position = n.position
      FROM unnest(p_workspaces, v_heads) AS n(workspace_id, position)
      WHERE h.workspace_id = n.workspace_id AND h.position <> n.position;
  END IF;
END $$;
