import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rollbackWords } from '../src/acts/rolloutWords.ts'
import type { BoardTarget, Forecast, RolloutExplanation } from '../src/api/schema'
import { merged, reorders } from '../src/board/targets.ts'
import { byTurn, comingOf, noteOf, partsOf, summary, turnsOf, verdictOf } from '../src/pages/rollout/words.ts'

const v = (n: number) => ({ versionId: `v${n}`, tag: `4.2.${n}` })
const target = (id: string, more: Partial<BoardTarget> = {}): BoardTarget => ({
  key: `${id}-e-d`, resourceId: id, identifier: id, name: id, kind: 'Cluster', status: 'healthy', reason: '', message: '', until: null, since: null,
  desired: v(1), current: v(1), pinned: null, job: null, verification: null, version: v(1), verdict: 'running', holds: [], order: 0, ...more,
})
const forecast = { versionId: 'v1', targets: [{ resourceId: 'b', at: '2026-01-01T00:00:00Z', heldBy: '' }, { resourceId: 'a', at: '2026-01-01T00:01:00Z', heldBy: '' }, { resourceId: 'c', at: '', heldBy: 'an approval' }] } as unknown as Forecast
const ways = (...items: [from: number, to: number, targets: number, deployment?: string][]) => ({
  items: items.map(([from, to, targets, name = 'checkout']) => ({ deployment: { id: name, name }, leaves: v(from), to: v(to), targets })),
  targets: items.reduce((sum, [, , targets]) => sum + targets, 0),
  marked: [...new Set(items.map(([from]) => from))].map(v),
})

test('a row that the stream told keeps its place, and what is known of the version that was asked about', () => {
  const known = target('a', { order: 7, version: v(2), verdict: 'waiting' })
  const told = target('a', { status: 'failed', version: v(1), verdict: 'failed' })
  assert.deepEqual([merged(known, told, undefined).verdict, merged(known, told, undefined).order], ['failed', 7])
  const asked = merged(known, told, 'v2')
  assert.deepEqual([asked.status, asked.verdict, asked.version], ['failed', 'waiting', v(2)])
})

test('the list is asked for again only when an order or a verdict may have changed', () => {
  const row = target('a')
  assert.equal(reorders(row, target('a', { message: 'another' }), undefined), false)
  assert.equal(reorders(row, target('a', { status: 'failed' }), undefined), true)
  assert.equal(reorders(row, target('a', { until: '2026-01-01T00:00:00Z' }), undefined), true)
  assert.equal(reorders(row, null, undefined), true)
  assert.equal(reorders(undefined, row, undefined), true)
  assert.equal(reorders(row, target('a'), 'v9'), true)
})

test('targets stand in the order of their turns; those without one come last', () => {
  const turns = turnsOf(forecast)
  assert.deepEqual(byTurn([target('x'), target('a'), target('b'), target('c')], turns).map((one) => one.resourceId), ['b', 'a', 'c', 'x'])
  assert.equal(turns.get('a')?.number, 2)
})

test('what comes next is what time clears first, and nothing when all of it is over', () => {
  const turns = turnsOf(forecast)
  const found = comingOf(turns, Date.parse('2025-12-31T23:59:00Z'))
  assert.deepEqual([found?.next.resourceId, found?.last], ['b', '2026-01-01T00:01:00Z'])
  assert.equal(comingOf(turns, Date.parse('2026-01-01T00:00:30Z'))?.next.resourceId, 'a')
  assert.equal(comingOf(turns, Date.parse('2026-01-02T00:00:00Z')), null)
})

test('the bar has a part for each that there is', () => {
  const parts = partsOf({ done: 3, going: 1, waiting: 1, blocked: 0, passed: 0, reasons: [] as unknown[] } as RolloutExplanation)
  assert.equal(summary(parts, 5), '3 done, 1 on the way, 1 waits, of 5 targets')
})

test('what waits for an approval is blocked, in an explanation as on the board', () => {
  const waits = (ruleType: string) => ({ done: 0, going: 0, waiting: 6, blocked: 0, passed: 0, reasons: [{ ruleType, verdict: 'waiting' }] }) as RolloutExplanation
  assert.deepEqual(partsOf(waits('anyApproval')).map((one) => [one.status, one.count, one.word]), [['blocked', 6, 'blocked']])
  assert.deepEqual(partsOf(waits('freeze')).map((one) => [one.status, one.count, one.word]), [['pending', 6, 'wait']])
})

test('a version that runs and is not healthy is there, not done', () => {
  assert.equal(verdictOf(target('a')).word, 'done')
  assert.deepEqual(verdictOf(target('a', { status: 'progressing' })), { status: 'progressing', word: 'there, being measured' })
  assert.equal(verdictOf(target('a', { verdict: 'marked' })).word, 'marked bad')
  assert.deepEqual(verdictOf(target('a', { verdict: 'waiting', status: 'blocked' })), { status: 'blocked', word: 'blocked' })
})

test('what is said of a target is why it is held, first of all', () => {
  const hold = { ruleType: 'anyApproval', ruleId: 'r', policyId: 'p', verdict: 'waiting' as const, message: 'needs 1', since: '', until: null }
  assert.equal(noteOf(target('a', { verdict: 'waiting', holds: [hold] }), undefined), 'needs 1')
  assert.equal(noteOf(target('a', { verdict: 'waiting' }), { number: 1, at: '', heldBy: 'an approval' }), 'an approval')
  assert.equal(noteOf(target('a', { verification: 'passed' }), undefined), 'verified')
  assert.equal(noteOf(target('a', { verdict: 'passed' }), undefined), 'runs 4.2.1')
})

test('a rollback says how many go from where to where, and what stays away', () => {
  assert.equal(
    rollbackWords(ways([2, 1, 12]), 'checkout in prod-eu', false),
    'Rolls checkout in prod-eu back now: 12 targets from 4.2.2 to 4.2.1. Windows and cooldown do not apply. 4.2.2 stays away from these targets until somebody lifts the mark.',
  )
})

test('a rollback of several names each, and their deployments where these differ', () => {
  const said = rollbackWords(ways([2, 1, 1, 'api'], [3, 1, 4, 'web']), 'prod', true)
  assert.match(said, /^Rolls 5 targets of prod back now: api, 1 target from 4\.2\.2 to 4\.2\.1; web, 4 targets from 4\.2\.3 to 4\.2\.1\./)
  assert.match(said, /4\.2\.2 and 4\.2\.3 stay away from these targets/)
})

test('a rollback within a version is of its variables', () => {
  assert.match(rollbackWords(ways([1, 1, 1]), 'api in prod', false), /1 target from 4\.2\.1 to its release before, with other variables\./)
})
