import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FORMS, draftFrom, draftOf, withField } from '../src/rules/forms.ts'
import { KINDS, deletionWords, effectWords, isPlain, lasting, recurrenceWords, selectorWords, sentencesOf } from '../src/rules/sentences.ts'

const one = (rule: Record<string, unknown>) => sentencesOf(rule)[0]

test('rules read as sentences with their own numbers', () => {
  assert.equal(one({ anyApproval: { minApprovals: 2, rejectionBlocks: true } }), 'Needs 2 approvals, one rejection blocks.')
  assert.equal(
    one({ environmentProgression: { dependsOnEnvironmentSelector: 'environment.name == "staging"', minimumSuccessPercentage: 100, minimumSoakTimeMinutes: 30, requireVerificationPassed: true } }),
    'Must first succeed on all targets in environment staging, with its verification passed, for 30 min.',
  )
  assert.equal(one({ gradualRollout: { rolloutType: 'linear', timeScaleInterval: 6 } }), 'Goes target by target, 6 s apart.')
  assert.equal(one({ gradualRollout: { rolloutType: 'waves', timeScaleInterval: 0, waves: [{ percentage: 10, soakMinutes: 60 }, { selector: 'true' }] } }), 'Goes in 2 waves: 10 %, which soaks 60 min; then everything; then the rest.')
  assert.equal(one({ deploymentWindow: { rrule: 'FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=9', durationMinutes: 480, timezone: 'Europe/Berlin' } }), 'Goes only in the 8 h after 09:00 on Monday and Tuesday (Europe/Berlin).')
  assert.equal(one({ retry: { maxRetries: 2, backoffSeconds: 30, backoffStrategy: 'exponential' } }), 'Tries a failed job again, 2 times at most, 30 s apart, doubling each time.')
  assert.equal(one({ rollback: { onJobStatuses: ['failure'], onVerificationFailure: true } }), 'Rolls back when its job ends with failure or its verification fails.')
  assert.equal(one({ verification: { metrics: [{ name: 'errors', count: 3, intervalSeconds: 2, provider: { type: 'http' } }] } }), 'Measures errors (http, 3 times, every 2 s) after the job.')
})

test('every kind of rule has a sentence and a form, also as it is begun', () => {
  for (const kind of KINDS) {
    const said = one({ [kind]: FORMS[kind].fresh })
    assert.match(said ?? '', /^[A-Z“].*\.$/, kind)
    assert.ok(!said?.includes('undefined'), said)
  }
  assert.deepEqual(sentencesOf({ id: 'x', unheardOf: {} }), [])
})

test('selectors are put into words where they are plain', () => {
  assert.equal(selectorWords('environment.name == "production" && resource.metadata["region"] == "eu"'), 'environment production, resource with region eu')
  assert.equal(selectorWords('resource.name.startsWith("x")'), 'resource.name.startsWith("x")')
  assert.ok(!isPlain('a || b'))
  assert.equal(selectorWords('true'), 'everything')
})

test('recurrences and lengths are put into words', () => {
  assert.equal(recurrenceWords('FREQ=DAILY;BYHOUR=22;BYMINUTE=30'), '22:30 every day')
  assert.equal(recurrenceWords('FREQ=MONTHLY;BYSETPOS=-1;BYDAY=FR'), 'FREQ=MONTHLY;BYSETPOS=-1;BYDAY=FR')
  assert.deepEqual([90, 60, 1800, 5400, 9000, 172_800].map(lasting), ['90 s', '1 min', '30 min', '90 min', '2 h 30 min', '2 days'])
})

test('what a change comes to is told with its numbers', () => {
  const effect = { total: 12, held: 3, totalBefore: 10, heldBefore: 0, added: 3, removed: 1, withdrawn: 1 }
  assert.equal(
    effectWords('careful', true, effect, false),
    '“careful” applies to 12 targets (10 now: 3 come, 1 goes) from now on. It holds a version on 3 targets at this moment (0 as it is now). 1 target that is cleared and whose job was not made yet is held back.',
  )
  assert.match(effectWords('careful', false, { ...effect, heldBefore: 2 }, false), /switched off.*2 targets that it holds now/)
})

test('a draft is what can be changed of a policy', () => {
  const draft = draftOf({ id: 'p', workspaceId: 'w', createdAt: 't', name: 'n', selector: 's', priority: 1, enabled: false, metadata: {}, rules: [{ id: 'r', policyId: 'p', createdAt: 't', retry: { maxRetries: 1 } }] })
  assert.deepEqual(draft, { name: 'n', selector: 's', priority: 1, enabled: false, metadata: {}, rules: [{ id: 'r', retry: { maxRetries: 1 } }] })
  assert.equal(typeof draftFrom([]), 'string')
  assert.equal(typeof draftFrom({ rules: 'x' }), 'string')
  assert.deepEqual((draftFrom({ name: 'x' }) as { rules: unknown }).rules, [])
})

test('a field that is emptied is left out where it may be, and a wrong number stays to be refused', () => {
  const [needed, from] = FORMS.anyApproval.fields
  assert.ok(needed && from)
  assert.deepEqual(withField({ minApprovals: 1, approverSelector: 'x' }, from, ''), { minApprovals: 1 })
  assert.deepEqual(withField({ minApprovals: 1 }, needed, '2'), { minApprovals: 2 })
  assert.deepEqual(withField({ minApprovals: 1 }, needed, ''), { minApprovals: '' })
})

test('deleting a policy says what that frees, or that it is not counted yet', () => {
  assert.equal(deletionWords(1, { totalBefore: 3, heldBefore: 0 }), 'Its 1 rule no longer applies to 3 targets. It holds nothing at this moment. What runs stays as it is.')
  assert.match(deletionWords(2, { totalBefore: 3, heldBefore: 1 }), /^Its 2 rules no longer apply to 3 targets\. 1 target that it holds now/)
  assert.match(deletionWords(1, null), /is not counted yet/)
})
