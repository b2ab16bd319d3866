import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cell, Line } from '../src/board/types.ts'
import { filterOf } from '../src/board/filter.ts'
import { countsOf, itemsOf, neighbour, noteOf, spoken } from '../src/pages/overview/layout.ts'

const line: Line = { id: 'd', name: 'api', position: 0, systems: [] }
const column: Line = { id: 'e', name: 'production', position: 0, systems: [] }
const v1 = { versionId: '1', tag: 'v1' }
const v2 = { versionId: '2', tag: 'v2' }
const cell: Cell = {
  key: 'd/e', deploymentId: 'd', environmentId: 'e', targets: 12, done: 3, active: 1, failed: 0, held: 0, status: 'healthy', desired: v2, heldVersion: null,
  running: [{ ...v2, targets: 12 }], more: 0, reason: '', message: '', until: null, since: null,
}

test('what a screen reader says of a cell has all that is seen in it, and where it is', () => {
  const T = '2026-03-04T14:03:22Z'
  const cases: [Partial<Cell>, string][] = [
    [{}, 'api in production: healthy, v2'],
    [{ desired: null, running: [] }, 'api in production: healthy'],
    [{ status: 'progressing', running: [{ ...v1, targets: 9 }, { ...v2, targets: 3 }] }, 'api in production: progressing from v1, v2, 3 of 12'],
    [{ status: 'pending', reason: 'soaks until', until: T }, 'api in production: pending, v2, soaks until <T>'],
    [{ status: 'pending', reason: 'next at', until: T }, 'api in production: pending, v2, next at <T>'],
    [{ status: 'pending', reason: 'window opens', until: T }, 'api in production: pending, v2, window opens at <T>'],
    [{ status: 'blocked', reason: 'frozen: audit', until: T }, 'api in production: blocked, v2, frozen: audit until <T>'],
    [{ status: 'blocked', reason: `frozen: ${T}` }, 'api in production: blocked, v2, frozen: <T>'],
    [{ status: 'failed', since: T }, 'api in production: failed, v2, since <T>'],
    [{ status: 'blocked', reason: 'needs 1 approval' }, 'api in production: blocked, v2, needs 1 approval'],
    [{ running: [{ ...v2, targets: 9 }, { ...v1, targets: 3 }], more: 2 }, 'api in production: healthy, v2, and 3 more'],
  ]
  for (const [change, said] of cases) assert.equal(spoken({ ...cell, ...change }, line, column, (text) => text.replace(T, '<T>')), said)
})

test('a cell has one note: how far, else why, else since when it failed, else what else runs', () => {
  assert.deepEqual(noteOf({ ...cell, status: 'progressing', reason: 'x' }), { of: [3, 12] })
  assert.deepEqual(noteOf({ ...cell, status: 'progressing', targets: 1, reason: 'x' }), { reason: 'x', until: null })
  assert.deepEqual(noteOf({ ...cell, status: 'failed', since: 't' }), { since: 't' })
  assert.deepEqual(noteOf(cell), {})
})

const inSystem = (id: string, name: string): Line => ({ id, name, position: 0, systems: [{ id: `s-${name}`, name }] })
const lines = [inSystem('a', 'one'), inSystem('b', 'one'), inSystem('c', 'two')]
const none = () => undefined

test('of a folded group only the heading is drawn, which knows what is under it', () => {
  const items = itemsOf(lines, [column], filterOf(''), none, new Set(['group s-one']))
  assert.deepEqual(items.map((item) => item.key), ['group s-one', 'group s-two', 'c'])
  const [folded] = items
  assert.ok(folded?.kind === 'group' && folded.isFolded)
  assert.deepEqual(folded.lines.map((one) => one.id), ['a', 'b'])
})

test('what a folded group comes to is counted in cells that are there, and that the filter means', () => {
  const cells: Record<string, Cell> = { 'a/e': { ...cell, status: 'failed' }, 'b/e': cell }
  const counted = (filter: string) => Object.fromEntries(countsOf(lines, [column], filterOf(filter), (key) => cells[key]))
  assert.deepEqual(counted(''), { failed: 1, healthy: 1 })
  assert.deepEqual(counted('status:failed'), { failed: 1 })
  assert.deepEqual(counted('status:paused'), {})
})

test('arrows go to each row and each heading, and stay inside', () => {
  assert.deepEqual(neighbour('ArrowUp', 5, 1, 2, 3), [0, 2])
  assert.deepEqual(neighbour('j', 5, 1, 2, 3), [2, 2])
  assert.deepEqual(neighbour('PageDown', 5, 1, 2, 3), [4, 2])
  assert.equal(neighbour('ArrowUp', 5, 0, 2, 3), null)
  assert.equal(neighbour('ArrowRight', 5, 1, 2, 3), null)
  assert.deepEqual(neighbour('Home', 5, 1, 2, 3), [1, 0])
})
