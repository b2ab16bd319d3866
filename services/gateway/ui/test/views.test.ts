import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MOST, type View, changed, refusal, viewOf, viewsIn } from '../src/pages/overview/views.ts'

const mine: View = { name: 'Mine', filter: 'system:payments' }
const bad: View = { name: 'Trouble', filter: 'status:failed,blocked' }

test('what was kept is read back; anything else is no view', () => {
  assert.deepEqual(viewsIn(JSON.stringify([mine, bad])), [mine, bad])
  assert.deepEqual(viewsIn(JSON.stringify([mine, { name: 1, filter: '' }, null, 'x'])), [mine])
  for (const text of ['', '{', '{}', 'null', '7']) assert.deepEqual(viewsIn(text), [], text)
})

test('names are there, and each once however it is written', () => {
  assert.equal(refusal([mine], 'Other'), '')
  assert.match(refusal([mine], '   '), /Give it a name/)
  assert.match(refusal([mine], ' mINE '), /“Mine” already/)
})

test('a view may be called as it is called, and not as another one', () => {
  assert.equal(refusal([mine, bad], 'MINE', mine), '')
  assert.match(refusal([mine, bad], 'trouble', mine), /“Trouble” already/)
})

test('there are at most fifty; one of them can be renamed all the same', () => {
  const views = Array.from({ length: MOST }, (_, index) => ({ name: `v${index}`, filter: 'x' }))
  assert.match(refusal(views, 'one more'), /50 views/)
  assert.equal(refusal(views, 'one more', views[3]), '')
})

test('they are in the order of their names, without what is around a name and a filter', () => {
  assert.deepEqual(changed([bad], { name: ' Mine ', filter: ' system:payments ' }), [mine, bad])
  assert.deepEqual(changed([mine, bad], { ...mine, name: 'Zoo' }, mine), [bad, { ...mine, name: 'Zoo' }])
  assert.deepEqual(changed([mine, bad], null, mine), [bad])
})

test('a filter that has a name is known by it', () => {
  assert.equal(viewOf([mine, bad], ' status:failed,blocked '), bad)
  assert.equal(viewOf([mine, bad], 'status:failed'), undefined)
})
