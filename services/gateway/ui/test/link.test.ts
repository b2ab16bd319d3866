import assert from 'node:assert/strict'
import { test } from 'node:test'

/** What a tab's end of the stream needs of a browser; without shared workers it has its own connection. */
const streams: ReadableStreamDefaultController<Uint8Array>[] = []
const asked: string[] = []
const calls: (() => void)[] = []
const turned: (() => void)[] = []
Object.assign(globalThis, {
  SharedWorker: undefined,
  document: { hidden: true, addEventListener: (_: string, listener: () => void) => void turned.push(listener), removeEventListener() {} },
  addEventListener() {},
  fetch: async (url: string) => {
    asked.push(url)
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void streams.push(controller) })
    calls.shift()?.()
    return new Response(body)
  },
})
const { follow, subscribe } = await import('../src/live/link.ts')

const opened = () => new Promise<void>((done) => calls.push(done))
const beat = (position: number) => new TextEncoder().encode(`event: beat\ndata: {"position":${position},"time":"2026-03-04T12:00:00Z"}\n\n`)

test('who listened before any position was known takes a new snapshot where the stream begins, once', async (t) => {
  t.after(() => {
    // The tab is hidden and gives its connection back: no timer is left.
    for (const listener of turned) listener()
    streams[0]?.close()
  })
  const heard: string[] = []
  let next = () => {}
  const told = () => new Promise<void>((done) => (next = done))
  follow('w', 0)
  subscribe({
    topics: ['jobs'],
    touched: () => (heard.push('touched'), next()),
    reset: () => (heard.push('reset'), next()),
  })
  await opened()
  assert.doesNotMatch(asked[0] ?? '', /since/)
  const first = told()
  streams[0]?.enqueue(beat(7))
  await first
  assert.deepEqual(heard, ['reset'])
  const second = told()
  streams[0]?.enqueue(beat(7))
  streams[0]?.enqueue(new TextEncoder().encode('event: patch\ndata: {"position":8,"time":"","touched":[["jobs","j"]]}\n\n'))
  await second
  assert.deepEqual(heard, ['reset', 'touched'])
})
