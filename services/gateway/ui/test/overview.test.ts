import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cell, Line } from '../src/board/types.ts'
import { noteOf, spoken } from '../src/pages/overview/layout.ts'

const line: Line = { id: 'd', name: 'api', position: 0, systems: [] }
const column: Line = { id: 'e', name: 'production', position: 0, systems: [] }
const v1 = { versionId: '1', tag: 'v1' }
const v2 = { versionId: '2', tag: 'v2' }
const cell: Cell = {
  key: 'd/e', deploymentId: 'd', environmentId: 'e', targets: 12, done: 3, active: 1, failed: 0, held: 0, status: 'healthy', desired: v2, heldVersion: null,
  running: [{ ...v2, targets: 12 }], more: 0, reason: '', message: '', until: null, since: null,
}

test('what a screen reader says of a cell has all that is seen in it, and where it is', () => {
  const cases: [Partial<Cell>, string, string][] = [
    [{}, '', 'api in production: healthy, v2'],
    [{ desired: null, running: [] }, '', 'api in production: healthy'],
    [{ status: 'progressing', running: [{ ...v1, targets: 9 }, { ...v2, targets: 3 }] }, '', 'api in production: progressing from v1, v2, 3 of 12'],
    [{ status: 'pending', reason: 'soaks until', until: '2026-03-04T14:03:22Z' }, '14:03:22', 'api in production: pending, v2, soaks until 14:03:22'],
    [{ status: 'blocked', reason: 'needs 1 approval' }, '', 'api in production: blocked, v2, needs 1 approval'],
    [{ running: [{ ...v2, targets: 9 }, { ...v1, targets: 3 }], more: 2 }, '', 'api in production: healthy, v2, and 3 more'],
  ]
  for (const [change, until, said] of cases) assert.equal(spoken({ ...cell, ...change }, line, column, until), said)
})

test('a cell has one note: how far, else why, else since when it failed, else what else runs', () => {
  assert.deepEqual(noteOf({ ...cell, status: 'progressing', reason: 'x' }), { of: [3, 12] })
  assert.deepEqual(noteOf({ ...cell, status: 'progressing', targets: 1, reason: 'x' }), { reason: 'x', until: null })
  assert.deepEqual(noteOf({ ...cell, status: 'failed', since: 't' }), { since: 't' })
  assert.deepEqual(noteOf(cell), {})
})
