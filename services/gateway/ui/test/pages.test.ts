import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeOf, changeWords, heldWords, instantOf, lackingOf, lackingOfChange, HALF, localOf, scopeWords, unfinished, whenOf, wishOf } from '../src/pages/freezes/words.ts'
import { isWeb } from '../src/parts/links.ts'
import { changesBetween, changesOf } from '../src/pages/resource/changes.ts'

const name = (id: string) => ({ d: 'api', e: 'prod' })[id] ?? id
const tag = () => 'v2'

test('what a freeze is for is told by names', () => {
  assert.equal(scopeWords({ scope: 'workspace' }, name), 'the whole workspace')
  assert.equal(scopeWords({ scope: 'environment', scopeId: 'e', selector: 'resource.metadata["region"] == "eu"' }, name), 'environment prod, where resource with region eu')
  assert.equal(scopeWords({ scope: 'deployment', scopeId: 'd', selector: 'true' }, name), 'deployment api')
})

test('what a freeze holds is told with its numbers', () => {
  const rollout = { deploymentId: 'd', environmentId: 'e', versionId: 'v', targets: 2 }
  assert.equal(heldWords({ targets: 0, waiting: 0, rollouts: [] }, name, tag), 'no release target')
  assert.equal(heldWords({ targets: 3, waiting: 0, rollouts: [] }, name, tag), '3 targets, none of which has a version on the way')
  assert.equal(heldWords({ targets: 3, waiting: 2, rollouts: [rollout] }, name, tag), '3 targets; 2 of them have a version on the way: api v2 in prod (2)')
  assert.match(heldWords({ targets: 9, waiting: 9, rollouts: [rollout, rollout, rollout] }, name, tag, 2), /all of them.* and 1 more rollout$/)
})

test('a freeze holds, will hold, or never will again', () => {
  assert.equal(whenOf({ active: true, dead: false }), 'active')
  assert.equal(whenOf({ active: false, dead: false, nextChange: 'then' }), 'planned')
  assert.equal(whenOf({ active: false, dead: false }), 'past')
  assert.equal(whenOf({ active: false, dead: false, nextChange: 'then', thawedAt: 'now' }), 'past')
  assert.equal(whenOf({ active: false, dead: true, nextChange: 'then' }), 'past')
})

test('a time of the browser goes there and back', () => {
  const instant = Date.UTC(2026, 2, 4, 12, 30)
  assert.equal(instantOf(localOf(instant)), new Date(instant).toISOString())
  assert.equal(instantOf(''), undefined)
})

test('what changed is told path by path', () => {
  assert.deepEqual(changesBetween({ a: 1, b: { c: 'x', d: [1] } }, { b: { c: 'y', d: [1, 2] }, e: true }), [
    { path: 'a', before: '1' },
    { path: 'b.c', before: 'x', after: 'y' },
    { path: 'b.d', before: '[1]', after: '[1,2]' },
    { path: 'e', after: 'true' },
  ])
  assert.deepEqual(changesOf({ name: 'n', updatedAt: 1 }, { name: 'n', updatedAt: 2 }), [])
  assert.deepEqual(changesOf(undefined, { name: 'n' }), [])
})

test('a freeze that is to end says when, and one of something says of what', () => {
  const one = { scope: 'workspace', scopeId: '', lasts: 'at', ends: '2090-01-01T10:00', starts: '' } as const
  assert.equal(lackingOf(one), '')
  assert.equal(lackingOf({ ...one, ends: '' }), 'Say until when.')
  assert.equal(lackingOf({ ...one, lasts: '', ends: '' }), '')
  assert.equal(lackingOf({ ...one, scope: 'environment' }), 'Choose which environment.')
})

test('a time that is half typed is not none: nothing is declared or changed by it', () => {
  const one = { scope: 'workspace', scopeId: '', lasts: 'at', ends: '2090-01-01T10:00', starts: '' } as const
  assert.equal(lackingOf({ ...one, ends: HALF }), 'The end is no whole date and time: finish it, or empty it.')
  assert.equal(lackingOf({ ...one, lasts: 'PT1H', starts: HALF }), 'The start is no whole date and time: finish it, or empty it.')
  assert.equal(lackingOf({ ...one, lasts: 'PT1H', ends: HALF }), '')
  const freeze = { reason: 'audit', endsAt: '2026-03-05T12:00:30.000Z' }
  assert.deepEqual(changeOf(freeze, { ...wishOf(freeze), ends: HALF }), {})
  assert.deepEqual([unfinished('end', ''), unfinished('end', '2090-01-01T10:00')], ['', ''])
})

test('only addresses of the web become links', () => {
  assert.ok(isWeb('https://ci.example/run/7'))
  for (const other of ['javascript:alert(1)', ' javascript:alert(1)', 'data:text/html,x', 'JaVaScRiPt:alert(1)//https://x', '//ci.example', '']) assert.ok(!isWeb(other), other)
})

test('a freeze that is changed says until when it goes on, and for how much longer', () => {
  const now = Date.parse('2026-03-04T12:00:00.000Z')
  const freeze = { reason: 'audit', endsAt: '2026-03-05T12:00:30.000Z' }
  const wish = wishOf(freeze)
  assert.deepEqual(changeOf(freeze, wish), {})
  assert.equal(lackingOfChange(freeze, {}, now), 'Nothing is changed yet.')
  assert.equal(changeWords(freeze, {}, 'environment production', now), 'Environment production stays frozen until 2026-03-05T12:00:30.000Z, as before.')
  const later = changeOf(freeze, { ...wish, ends: localOf(Date.parse('2026-03-07T12:00:30.000Z')) })
  assert.deepEqual(later, { endsAt: '2026-03-07T12:00:00.000Z' })
  assert.match(changeWords(freeze, { endsAt: '2026-03-07T12:00:30.000Z' }, 'everything', now), /until 2026-03-07T12:00:30.000Z, not until 2026-03-05T12:00:30.000Z: 2d 0h longer\.$/)
  assert.deepEqual(changeOf(freeze, { ...wish, ends: '' }), { endsAt: null })
  assert.match(changeWords(freeze, { endsAt: null, reason: 'more' }, 'everything', now), /until somebody thaws it, not until .* Whoever is held by it reads the new reason\.$/)
  assert.equal(lackingOfChange(freeze, changeOf(freeze, { ...wish, reason: ' ' }), now), 'Say why it is frozen.')
})

test('no change ends a freeze in the past, and one that has not begun is not said to hold', () => {
  const now = Date.parse('2026-03-04T12:00:00.000Z')
  const freeze = { reason: 'audit', endsAt: '2026-03-05T12:00:00.000Z' }
  const past = { endsAt: '2026-03-04T12:00:00.000Z' }
  assert.equal(changeWords(freeze, past, 'everything', now), 'This end is past: to end the freeze of everything now, thaw it.')
  assert.equal(lackingOfChange(freeze, past, now), 'This end is past: choose a later one, or thaw the freeze to end it now.')
  assert.equal(lackingOfChange(freeze, { endsAt: '2026-03-04T12:00:01.000Z' }, now), '')
  assert.equal(changeWords({ ...freeze, active: false }, {}, 'everything', now), 'Everything will be frozen until 2026-03-05T12:00:00.000Z, as before.')
  assert.match(changeWords({ ...freeze, active: false, rrule: 'FREQ=DAILY' }, { endsAt: null }, 'everything', now), /^Everything is frozen again and again until somebody/)
})
