import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Feed, type FeedState, type World, patience } from '../src/live/feed.ts'
import { Events, type Frame, frameOf } from '../src/live/frames.ts'
import { type FromHub, Hub, type Listener } from '../src/live/hub.ts'

/** A world whose stream the test writes and whose clock it turns. */
class Stage implements World {
  readonly asked: string[] = []
  readonly waiting: { action: () => void; ms: number }[] = []
  status = 200
  #streams: ReadableStreamDefaultController<Uint8Array>[] = []

  async fetch(url: string, { signal }: { signal: AbortSignal }): Promise<Response> {
    this.asked.push(url)
    if (this.status !== 200) return new Response('', { status: this.status })
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#streams.push(controller)
        signal.addEventListener('abort', () => controller.error(new Error('aborted')))
      },
    })
    return new Response(body)
  }

  later(action: () => void, ms: number): () => void {
    const one = { action, ms }
    this.waiting.push(one)
    return () => {
      const at = this.waiting.indexOf(one)
      if (at >= 0) this.waiting.splice(at, 1)
    }
  }

  random(): number {
    return 1
  }

  say(text: string): void {
    this.#streams.at(-1)?.enqueue(new TextEncoder().encode(text))
  }

  cut(): void {
    this.#streams.at(-1)?.error(new Error('cut'))
  }

  /** Let the timer of this many ms ring. */
  ring(ms: number): void {
    const at = this.waiting.findIndex((one) => one.ms === ms)
    assert.ok(at >= 0, `no timer of ${ms} ms among ${this.waiting.map((one) => one.ms)}`)
    this.waiting.splice(at, 1)[0]?.action()
  }
}

/** Everything that is under way has gone on as far as it can. */
const settled = () => new Promise<void>((done) => setImmediate(() => setImmediate(done)))

const patch = (position: number) => `id: ${position}\nevent: patch\ndata: {"position":${position},"time":"t","rows":[]}\n\n`

function opened(stage: Stage) {
  const frames: Frame[] = []
  const states: FeedState[] = []
  const feed = new Feed('/s', { frame: (frame) => frames.push(frame), state: (state) => states.push(state) }, stage)
  feed.open(['matrix'], 5)
  return { feed, frames, states }
}

test('events are read however the stream is cut', () => {
  const text = `: hi\n\n${patch(7)}event: beat\r\ndata: {"position":8}\r\n\r\n`
  for (let at = 0; at <= text.length; at += 1) {
    const events = new Events()
    const found = [...events.take(text.slice(0, at)), ...events.take(text.slice(at))]
    assert.deepEqual(found.map((one) => frameOf(one.event, one.data)?.kind ?? null), [null, 'patch', 'beat'])
  }
})

test('what is no frame is passed over', () => {
  assert.equal(frameOf('patch', '{'), null)
  assert.equal(frameOf('patch', ''), null)
  assert.equal(frameOf('novel', '{}'), null)
})

test('patience doubles up to half a minute, and never less than half of it', () => {
  assert.deepEqual([0, 1, 2, 5, 9].map((n) => patience(n, 1)), [1_000, 2_000, 4_000, 30_000, 30_000])
  assert.equal(patience(0, 0), 500)
})

test('after a cut it resumes from the newest patch it heard; a beat does not move that', async () => {
  const stage = new Stage()
  const { states } = opened(stage)
  await settled()
  stage.say(`${patch(9)}event: beat\ndata: {"position":12}\n\n`)
  await settled()
  stage.cut()
  await settled()
  stage.ring(1_000)
  await settled()
  assert.deepEqual(stage.asked, ['/s?topics=matrix&since=5', '/s?topics=matrix&since=9'])
  assert.deepEqual(states, ['live', 'cut', 'live'])
})

test('a session that is over is not asked again', async () => {
  const stage = new Stage()
  stage.status = 401
  const { states } = opened(stage)
  await settled()
  assert.deepEqual(states, ['ended'])
  assert.deepEqual(stage.waiting, [])
})

test('a connection that says nothing for long is given up and opened again', async () => {
  const stage = new Stage()
  const { states } = opened(stage)
  await settled()
  stage.ring(40_000)
  await settled()
  assert.equal(states.at(-1), 'cut')
})

test('a nudge tries at once', async () => {
  const stage = new Stage()
  const { feed } = opened(stage)
  await settled()
  stage.cut()
  await settled()
  feed.nudge()
  await settled()
  assert.equal(stage.asked.length, 2)
})

class Tab implements Listener {
  readonly heard: FromHub[] = []
  post(message: FromHub): void {
    this.heard.push(message)
  }
  get positions(): number[] {
    return this.heard.flatMap((one) => (one.kind === 'frame' && one.frame.kind === 'patch' ? [one.frame.patch.position] : []))
  }
}

async function hubWithTwo() {
  const stage = new Stage()
  const hub = new Hub(stage)
  const [one, two] = [new Tab(), new Tab()]
  hub.take(one, { kind: 'want', workspaceId: 'w', topics: [['matrix', 5]] })
  stage.ring(20)
  await settled()
  stage.say(patch(9))
  await settled()
  return { stage, hub, one, two }
}

test('tabs share one connection with the topics of all', async () => {
  const { stage, hub, one, two } = await hubWithTwo()
  hub.take(two, { kind: 'want', workspaceId: 'w', topics: [['jobs', 9]] })
  stage.ring(20)
  await settled()
  assert.equal(stage.asked.at(-1), '/api/v1/workspaces/w/stream?topics=jobs,matrix&since=9')
  stage.say(patch(10))
  await settled()
  assert.deepEqual([one.positions, two.positions], [[9, 10], [10]])
})

test('a tab whose snapshot is older makes the feed go back to it, also for a topic that is heard already', async () => {
  const { stage, hub, two } = await hubWithTwo()
  hub.take(two, { kind: 'want', workspaceId: 'w', topics: [['matrix', 7]] })
  stage.ring(20)
  await settled()
  assert.equal(stage.asked.at(-1), '/api/v1/workspaces/w/stream?topics=matrix&since=7')
})

test('a tab that wants nothing new opens nothing', async () => {
  const { stage, hub, two } = await hubWithTwo()
  hub.take(two, { kind: 'want', workspaceId: 'w', topics: [['matrix', 9]] })
  await settled()
  assert.equal(stage.asked.length, 1)
})

test('the last tab that leaves closes the connection; the next opens one again', async () => {
  const { stage, hub, one, two } = await hubWithTwo()
  hub.take(one, { kind: 'bye' })
  await settled()
  assert.deepEqual(stage.waiting.map((timer) => timer.ms), [])
  hub.take(two, { kind: 'want', workspaceId: 'w', topics: [['matrix', 11]] })
  stage.ring(20)
  await settled()
  assert.equal(stage.asked.at(-1), '/api/v1/workspaces/w/stream?topics=matrix&since=11')
})

test('after somebody signed in again a cut is retried as ever', async () => {
  const stage = new Stage()
  stage.status = 401
  const { feed, states } = opened(stage)
  await settled()
  stage.status = 503
  feed.open(['matrix'], 5)
  await settled()
  stage.status = 200
  stage.ring(1_000)
  await settled()
  assert.deepEqual(states, ['ended', 'connecting', 'cut', 'live'])
})

test('a tab is told of which workspace everything is that it hears', async () => {
  const { hub, one, two, stage } = await hubWithTwo()
  hub.take(two, { kind: 'want', workspaceId: 'other', topics: [['matrix', 3]] })
  stage.ring(20)
  await settled()
  stage.say(patch(4))
  await settled()
  assert.deepEqual([...new Set(one.heard.map((message) => message.workspaceId))], ['w'])
  assert.deepEqual([...new Set(two.heard.map((message) => message.workspaceId))], ['other'])
})
