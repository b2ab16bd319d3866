import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effect } from '@preact/signals'
import { Rows } from '../src/live/rows.ts'

function seeded() {
  const rows = new Rows<{ n: number }>()
  rows.seed([['a', { n: 1 }], ['b', { n: 2 }]], 10)
  return rows
}

test('a patch changes its row and no other', () => {
  const rows = seeded()
  const runs = { a: 0, b: 0, keys: 0 }
  effect(() => void (rows.get('a')?.value, (runs.a += 1)))
  effect(() => void (rows.get('b')?.value, (runs.b += 1)))
  effect(() => void (rows.keys.value, (runs.keys += 1)))
  assert.ok(rows.patch([['a', { n: 5 }]], 11))
  assert.deepEqual(runs, { a: 2, b: 1, keys: 1 })
  assert.equal(rows.get('a')?.value?.n, 5)
})

test('a patch that says the same draws nothing again', () => {
  const rows = seeded()
  let runs = 0
  effect(() => void (rows.get('a')?.value, (runs += 1)))
  rows.patch([['a', { n: 1 }]], 11)
  assert.equal(runs, 1)
})

test('what is told twice after a cut is passed over', () => {
  const rows = seeded()
  rows.patch([['a', { n: 7 }]], 12)
  assert.equal(rows.patch([['a', { n: 6 }]], 11), false)
  assert.equal(rows.patch([['a', { n: 6 }]], 12), false)
  assert.equal(rows.get('a')?.value?.n, 7)
})

test('rows come and go', () => {
  const rows = seeded()
  rows.patch([['b', null], ['c', { n: 3 }]], 11)
  assert.deepEqual(rows.keys.value, ['a', 'c'])
  assert.equal(rows.get('b'), undefined)
})

test('who looks at a row hears when it comes, goes, and comes back', () => {
  const rows = seeded()
  const seen: (number | undefined)[] = []
  const others = { runs: 0 }
  effect(() => void seen.push(rows.get('c')?.value?.n))
  effect(() => void (rows.get('a')?.value, (others.runs += 1)))
  rows.patch([['c', { n: 3 }]], 11)
  rows.patch([['c', null]], 12)
  rows.patch([['c', { n: 4 }]], 13)
  rows.seed([['a', { n: 1 }]], 20)
  assert.deepEqual(seen, [undefined, 3, undefined, 4, undefined])
  assert.equal(others.runs, 1)
})

test('a new snapshot keeps the signals of rows that stay, whatever its position', () => {
  const rows = seeded()
  const before = rows.get('a')
  rows.seed([['a', { n: 9 }]], 5)
  assert.equal(rows.get('a'), before)
  assert.equal(before?.value?.n, 9)
  assert.deepEqual(rows.keys.value, ['a'])
  assert.ok(rows.patch([['a', { n: 10 }]], 6))
})

test('patches on a snapshot, cut anywhere and told again from there, end in the same state', () => {
  const log = Array.from({ length: 60 }, (_, n) => [`k${(n * 7) % 5}`, n % 11 === 0 ? null : { n }] as const)
  const whole = new Rows<{ n: number }>()
  whole.seed([], 0)
  log.forEach((row, n) => whole.patch([row], n + 1))
  for (let cut = 0; cut < log.length; cut += 1) {
    const resumed = new Rows<{ n: number }>()
    resumed.seed([], 0)
    log.slice(0, cut).forEach((row, n) => resumed.patch([row], n + 1))
    const again = Math.max(0, cut - 4)
    log.slice(again).forEach((row, n) => resumed.patch([row], again + n + 1))
    assert.deepEqual(new Map(resumed.keys.value.map((k) => [k, resumed.get(k)?.value])), new Map(whole.keys.value.map((k) => [k, whole.get(k)?.value])))
  }
})
