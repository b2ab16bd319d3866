import assert from 'node:assert/strict'
import { test } from 'node:test'
import { thousands } from '../src/parts/numbers.ts'

test('thousands are grouped as English does it', () => {
  for (const n of [0, 7, 999, 1_000, 12_345, 999_999, 1_000_000, 1_234_567_890, -4_321]) assert.equal(thousands(n), n.toLocaleString('en'))
})
