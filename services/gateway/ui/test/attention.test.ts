import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextOf } from '../src/parts/attention.ts'

const places = ['healthy', 'blocked', 'failed', undefined, 'failed', 'blocked']

test('what failed comes before what is blocked, each from the top, and then it begins again', () => {
  const gone: (number | null)[] = []
  for (let here: number | null = -1; gone.length < 5; gone.push(here)) here = nextOf(places, here ?? -1)
  assert.deepEqual(gone, [2, 4, 1, 5, 2])
})

test('from a place that needs nothing it begins', () => {
  assert.equal(nextOf(places, 0), 2)
})

test('where nothing needs attention there is nowhere to go', () => {
  assert.equal(nextOf(['healthy', 'progressing', undefined], 0), null)
  assert.equal(nextOf([], -1), null)
})
