import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ask, EventPages } from '../src/pages/events/pages.ts'
import { asTree, byService, byWhom, depthsOf, mayFit, restOf, thingOf, wordsOf } from '../src/pages/events/words.ts'

const JOB = '11111111-1111-4111-8111-111111111111'
const DEPLOYMENT = '22222222-2222-4222-8222-222222222222'
const VERSION = '33333333-3333-4333-8333-333333333333'

const facts = (from: number, to: number) => Array.from({ length: Math.max(0, from - to + 1) }, (_, index) => ({ position: from - index }))

/** A log of so many facts, asked as the page asks it. */
function answer(list: EventPages<{ position: number }>, ask: Ask): void {
  list.take(ask, { items: facts(ask.before - 1, Math.max(1, ask.before - ask.limit)), next: 0 })
}

test('every position of the log is a row, wherever one scrolls', () => {
  const list = new EventPages<{ position: number }>(250, true, 100)
  assert.equal(list.count, 250)
  assert.equal(list.row(0), undefined)
  const [first, ...more] = list.wanted(0, 30)
  assert.ok(first)
  assert.equal(more.length, 0)
  answer(list, first)
  assert.equal(list.row(0)?.position, 250)
  assert.equal(list.row(99)?.position, 151)
  for (const ask of list.wanted(190, 250)) answer(list, ask)
  assert.equal(list.row(249)?.position, 1)
  assert.equal(list.at(130)?.position, 130)
  assert.deepEqual(list.wanted(0, 250), [])
})

test('a page is not asked for twice while it is on its way, and again when it did not come', () => {
  const list = new EventPages<{ position: number }>(250, true, 100)
  const [ask] = list.wanted(0, 10)
  assert.ok(ask)
  assert.deepEqual(list.wanted(0, 10), [])
  list.take(ask, null)
  assert.equal(list.wanted(0, 10).length, 1)
})

test('what comes in stands above, once', () => {
  const list = new EventPages<{ position: number }>(10, true, 100)
  for (const ask of list.wanted(0, 10)) answer(list, ask)
  list.prepend([{ position: 11 }, { position: 12 }])
  list.prepend([{ position: 12 }, { position: 13 }])
  assert.deepEqual([0, 1, 2, 3].map((index) => list.row(index)?.position), [13, 12, 11, 10])
  assert.equal(list.count, 13)
  assert.equal(list.newest, 13)
})

test('of a filtered log a part leads to the next, though one may be empty', () => {
  const list = new EventPages<{ position: number }>(1000, false, 2)
  const take = (positions: number[], next: number) => {
    const [ask] = list.wanted(0, 30)
    assert.ok(ask)
    list.take(ask, { items: positions.map((position) => ({ position })), next })
  }
  take([900, 800], 800)
  assert.equal(list.count, 3)
  take([], 500)
  take([400], 0)
  assert.equal(list.count, 3)
  assert.ok(list.ended)
  assert.deepEqual(list.wanted(0, 30), [])
  assert.equal(list.row(2)?.position, 400)
})

test('a filtered log in which nothing is found is empty only at its end', () => {
  const list = new EventPages<{ position: number }>(1000, false)
  const [ask] = list.wanted(0, 30)
  assert.ok(ask)
  assert.ok(!list.empty)
  list.take(ask, { items: [], next: 0 })
  assert.ok(list.empty)
})

test('a fact is told in words and names', () => {
  const names = { [DEPLOYMENT]: 'checkout', [VERSION]: 'v2', 'user:1': 'mira' }
  assert.equal(wordsOf('policy.targets_cleared.v1'), 'targets cleared')
  assert.equal(byWhom('user:1', names), 'mira')
  assert.equal(byWhom('service:policy', names), 'policy')
  assert.equal(byWhom(`agent:${JOB}`, names), 'agent 11111111')
  assert.equal(thingOf(`job/${JOB}`, names), 'job 11111111')
  assert.equal(thingOf(`rollout/${DEPLOYMENT}/${JOB}`, names), 'rollout checkout / 11111111')
  const about = { job_id: JOB, deployment_id: DEPLOYMENT, version_id: VERSION, status: 'failure', message: 'no space' }
  assert.equal(restOf({ type: 'a.b.v1', subject: `job/${JOB}`, authid: '', about }, names), 'checkout · v2 · failure · no space')
  assert.equal(restOf({ type: 'a.b.v1', subject: `version/${VERSION}`, authid: '', about: { version_id: VERSION, tag: 'v2' } }, names), '')
})

test('kinds are grouped by who records them', () => {
  const found = byService([{ type: 'policy.b.v1' }, { type: 'planner.a.v1' }, { type: 'policy.c.v1' }])
  assert.deepEqual(found.map(([service, types]) => [service, types.length]), [['planner', 1], ['policy', 2]])
})

test('effects stand under what led to them', () => {
  const one = (id: string, position: number, causationid: string) => ({ id, position, causationid })
  const effects = [one('a', 2, 'root'), one('b', 3, 'root'), one('c', 4, 'a'), one('d', 5, 'b'), one('e', 6, 'c')]
  assert.deepEqual(asTree('root', effects).map(({ id }) => id), ['a', 'c', 'e', 'b', 'd'])
  assert.deepEqual([...depthsOf('root', effects)], [['a', 1], ['b', 1], ['c', 2], ['d', 2], ['e', 3]])
})

test('the stream tells which facts may be wanted', () => {
  const head = { type: 'policy.targets_cleared.v1', subject: 'rollout/x' }
  assert.ok(mayFit(head, { types: '', subject: '' }))
  assert.ok(mayFit(head, { types: 'policy.*', subject: '' }))
  assert.ok(mayFit(head, { types: 'a.b.v1,policy.targets_cleared.v1', subject: 'rollout/x' }))
  assert.ok(!mayFit(head, { types: 'planner.*', subject: '' }))
  assert.ok(!mayFit(head, { types: '', subject: 'rollout/y' }))
})
