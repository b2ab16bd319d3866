import assert from 'node:assert/strict'
import { test } from 'node:test'
import { moved, pagesOf, scrollTo, windowOf } from '../src/parts/window.ts'

test('a window covers what is in sight, with some rows to spare', () => {
  assert.deepEqual(windowOf(0, 340, 34, 10_000, 8), [0, 19])
  assert.deepEqual(windowOf(34_000, 340, 34, 10_000, 8), [992, 1019])
  assert.deepEqual(windowOf(0, 340, 34, 3, 8), [0, 3])
  assert.deepEqual(windowOf(0, 340, 34, 0, 8), [0, 0])
})

test('wherever it is scrolled, every row in sight is in the window, and it is small', () => {
  for (let scrolled = -50; scrolled < 10_000 * 34 + 500; scrolled += 997) {
    const [from, to] = windowOf(scrolled, 777, 34, 10_000)
    const first = Math.min(9_999, Math.max(0, Math.floor(scrolled / 34)))
    const last = Math.min(9_999, Math.max(0, Math.floor((scrolled + 776) / 34)))
    assert.ok(from >= 0 && from <= first && to > last && to <= 10_000 && to - from <= 41, `${scrolled}: ${from}–${to}`)
  }
})

test('a list is scrolled no further than it must be', () => {
  assert.equal(scrollTo(5, 0, 340, 34), null)
  assert.equal(scrollTo(10, 0, 340, 34), 34)
  assert.equal(scrollTo(2, 340, 340, 34), 68)
})

test('pages of a window', () => {
  assert.deepEqual(pagesOf(0, 20, 100), [0])
  assert.deepEqual(pagesOf(95, 205, 100), [0, 1, 2])
  assert.deepEqual(pagesOf(100, 200, 100), [1])
  assert.deepEqual(pagesOf(5, 5, 100), [])
})

test('keys stay inside the list', () => {
  assert.equal(moved('j', 9, 10, 5), 9)
  assert.equal(moved('ArrowUp', 0, 10, 5), 0)
  assert.equal(moved('PageDown', 2, 10, 5), 7)
  assert.equal(moved('End', 2, 10, 5), 9)
  assert.equal(moved('x', 2, 10, 5), null)
})
