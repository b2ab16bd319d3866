import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Coalesced } from '../src/api/coalesce.ts'

function stage() {
  const timers: (() => void)[] = []
  const answers: (() => void)[] = []
  let asked = 0
  const coalesced = new Coalesced(
    () => {
      asked += 1
      return new Promise((done) => answers.push(done))
    },
    150,
    (action) => {
      timers.push(action)
      return () => timers.splice(timers.indexOf(action), 1)
    },
  )
  return { coalesced, timers, answers, asked: () => asked }
}

const settled = () => new Promise<void>((done) => setImmediate(done))

test('many touches ask once', async () => {
  const { coalesced, timers, asked } = stage()
  for (let n = 0; n < 9; n += 1) coalesced.touch()
  assert.equal(timers.length, 1)
  timers.pop()?.()
  await settled()
  assert.equal(asked(), 1)
})

test('a touch while an answer is on its way asks once more after it', async () => {
  const { coalesced, timers, answers, asked } = stage()
  void coalesced.now()
  coalesced.touch()
  coalesced.touch()
  assert.equal(timers.length, 0)
  answers.pop()?.()
  await settled()
  assert.equal(timers.length, 1)
  timers.pop()?.()
  assert.equal(asked(), 2)
})

test('one that was stopped asks no more', async () => {
  const { coalesced, timers, asked } = stage()
  coalesced.touch()
  coalesced.stop()
  coalesced.touch()
  await coalesced.now()
  assert.deepEqual([timers.length, asked()], [0, 0])
})

test('the answer is to show the newest position that was heard of', async () => {
  const { coalesced } = stage()
  coalesced.touch(7)
  coalesced.touch(5)
  assert.equal(coalesced.heard, 7)
})

test('what can not be shown yet is asked for again, once, whatever is touched meanwhile', async () => {
  const { coalesced, timers, answers, asked } = stage()
  void coalesced.now()
  coalesced.touch(8)
  coalesced.behind()
  answers.pop()?.()
  await settled()
  assert.equal(timers.length, 1)
  timers.pop()?.()
  await settled()
  assert.equal(asked(), 2)
})
