import assert from 'node:assert/strict'
import { test } from 'node:test'
import { age, brief, left, local, span, utc, waiting, zoned } from '../src/time/words.ts'

const S = 1_000
const M = 60 * S
const H = 60 * M
const D = 24 * H

test('a countdown never says less than what is left', () => {
  const cases: [number, string][] = [
    [-1, 'due'],
    [0, 'due'],
    [1, '1s'],
    [59 * S + 1, '1m 00s'],
    [59 * S, '59s'],
    [2 * M + 5 * S, '2m 05s'],
    [H, '1h 00m'],
    [H + 4 * M + 59 * S, '1h 04m'],
    [3 * D + 2 * H, '3d 2h'],
  ]
  for (const [ms, text] of cases) assert.equal(left(ms, 0), text, String(ms))
})

test('in a cell it is short', () => {
  const cases: [number, string][] = [
    [0, 'due'],
    [9 * M, '9m 00s'],
    [40 * M + S, '41m'],
    [2 * H + 5 * M, '2h 05m'],
    [11 * H, '11h'],
    [3 * D - 1, '3d'],
  ]
  for (const [ms, text] of cases) assert.equal(brief(ms, 0), text, String(ms))
})

test('an age is a number and a letter', () => {
  const cases: [number, string][] = [
    [-S, 'now'],
    [4 * S, 'now'],
    [40 * S, '40s'],
    [12 * M, '12m'],
    [26 * H, '1d'],
    [60 * D, '8w'],
  ]
  for (const [ms, text] of cases) assert.equal(age(0, ms), text, String(ms))
})

test('how long something took', () => {
  const cases: [number, string][] = [
    [850, '850 ms'],
    [12 * S, '12 s'],
    [3 * M + 20 * S, '3 min 20 s'],
    [2 * H, '2 h'],
  ]
  for (const [ms, text] of cases) assert.equal(span(ms), text)
})

test('UTC is exact, the local time as long as it must be', (t) => {
  const before = process.env['TZ']
  t.after(() => {
    if (before === undefined) delete process.env['TZ']
    else process.env['TZ'] = before
  })
  const instant = Date.UTC(2026, 2, 4, 14, 3, 22, 120)
  assert.equal(utc(instant), '2026-03-04 14:03:22.120 UTC')
  assert.equal(utc(Date.UTC(2026, 0, 1)), '2026-01-01 00:00:00 UTC')
  process.env['TZ'] = 'Europe/Berlin'
  assert.equal(local(instant, instant + M), '15:03:22')
  // It is tomorrow there before it is in UTC, and summer from March to October.
  assert.equal(local(Date.UTC(2026, 6, 31, 22, 5), Date.UTC(2026, 6, 31, 12)), '1 Aug, 00:05')
  process.env['TZ'] = 'UTC'
  assert.equal(local(instant, instant + 3 * D), '4 Mar, 14:03')
  assert.equal(local(instant, instant + 400 * D), '4 Mar 2026, 14:03')
})

test('who waits is said to wait for so long', () => {
  assert.equal(waiting(0, 2_000), 'waiting since just now')
  assert.equal(waiting(0, 60_000), 'waiting for 1m')
  assert.equal(waiting(0, 3 * 3_600_000), 'waiting for 3h')
})

test('instants in a text of the API are told as the reader has them, and nothing else is', () => {
  const now = Date.UTC(2026, 2, 5)
  const at = local(Date.UTC(2026, 2, 4, 14, 3), now)
  for (const written of ['2026-03-04T14:03Z', '2026-03-04 14:03 UTC', '2026-03-04T14:03:00.000Z']) assert.equal(zoned(`frozen: ${written}, or so`, now), `frozen: ${at}, or so`)
  for (const other of ['2026-03-04', '2026-99-04T14:03Z', '14:03:22', 'api-2026-03-04T1…', '']) assert.equal(zoned(other, now), other)
})
