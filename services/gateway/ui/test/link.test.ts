import assert from 'node:assert/strict'
import { after, test } from 'node:test'

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

const patch = (position: number, more: string) => new TextEncoder().encode(`event: patch\ndata: {"position":${position},"time":"",${more}}\n\n`)

after(() => {
  // The tab is hidden and gives its connection back: no timer is left.
  for (const listener of turned) listener()
  for (const stream of streams) stream.close()
})

const heard: string[] = []
let next = () => {}
const told = () => new Promise<void>((done) => (next = done))

test('who listened before any position was known takes a new snapshot where the stream begins, once', async () => {
  follow('w', 0)
  subscribe({
    topics: ['jobs'],
    reset: (position) => heard.push(`reset ${position}`),
    heard: (position, changes) => (heard.push(`heard ${position}: ${changes}`), next()),
  })
  await opened()
  assert.doesNotMatch(asked[0] ?? '', /since/)
  const first = told()
  streams[0]?.enqueue(beat(7))
  await first
  assert.deepEqual(heard.splice(0), ['reset 7', 'heard 7: 1'])
  const second = told()
  streams[0]?.enqueue(beat(7))
  streams[0]?.enqueue(patch(8, '"touched":[["jobs","j"],["jobs","k"],["agents","a"]]'))
  await second
  assert.deepEqual(heard.splice(0), ['heard 8: 2'])
})

test('one callback hears of rows, names and events of its topics, and of nothing else', async () => {
  const got: string[] = []
  const leave = subscribe({ topics: ['matrix', 'events', 'job:k'], heard: (position, changes) => got.push(`${position}: ${changes}`) })
  await opened()
  const last = told()
  const stream = streams.at(-1)
  stream?.enqueue(patch(9, '"rows":[["matrix","a/b",{}],["approvals","x",{}]],"events":[{"position":9}],"touched":[["job","k"],["job","l"]]'))
  stream?.enqueue(patch(10, '"touched":[["agents","a"]]'))
  stream?.enqueue(patch(11, '"touched":[["jobs","j"]]'))
  await last
  leave()
  assert.deepEqual(got, ['9: 3'])
  assert.deepEqual(heard.splice(0), ['heard 11: 1'])
})

test('who goes on listening in another workspace has heard of nothing there', async () => {
  const open = opened()
  follow('v', 3)
  await open
  assert.equal(asked.at(-1), '/api/v1/workspaces/v/stream?topics=jobs&since=3')
  const first = told()
  streams.at(-1)?.enqueue(patch(4, '"touched":[["jobs","j"]]'))
  await first
  assert.deepEqual(heard.splice(0), ['heard 4: 1'])
})
