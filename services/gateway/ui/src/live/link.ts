/** This tab's end of the stream: what it listens to, how fresh it is, and what happened while it was away. */
import { batch, effect, signal } from '@preact/signals'
import type { FeedState } from './feed.ts'
import type { EventHead, Patch, WireRow } from './frames.ts'
import type { FromHub, ToHub } from './hub.ts'
import { randomName } from '../api/names.ts'
import { heardTime } from '../time/clock.ts'

export const connection = signal<FeedState>('connecting')
/** The newest position that this tab knows of, and when its fact was recorded. */
export const head = signal(0)
export const headTime = signal('')
/** When something was last heard, in ms of this machine's clock. */
export const heardAt = signal(Date.now())
/** Set for some seconds after a cut was mended: how many events the page caught up with, and how long it was away. */
export const caughtUp = signal<{ events: number; seconds: number } | null>(null)

export interface Subscription {
  topics: readonly string[]
  /** The position of the snapshot that the rows come on top of; without one, all from now on. */
  since?: number
  rows?(rows: [topic: string, key: string, row: WireRow | null][], position: number): void
  events?(events: EventHead[], position: number): void
  /** The stream can not go on from where it was: take a new snapshot. */
  reset?(position: number): void
  /** Any of this, or what only has a name in the stream: ask again, for an answer that shows `position`. After a reset nobody knows how many changes it were: 1. */
  heard?(position: number, changes: number): void
}

/** Who listens, and up to where each has heard. */
const subscriptions = new Map<Subscription, number>()
let workspaceId = ''
let send: ((message: ToHub) => void) | null = null
let cutAt: { position: number; ms: number } | null = null
let asked = ''

/** Listen until the answer is called. */
export function subscribe(subscription: Subscription): () => void {
  const known = head.peek() || -1
  const since = subscription.since ?? known
  // What was heard between this snapshot and now went past it: the hub must go back, though it has the topic already.
  if (since < known) asked = ''
  subscriptions.set(subscription, since)
  ask()
  return () => {
    subscriptions.delete(subscription)
    ask()
  }
}

/** Which workspace this tab shows; '' for none. `position` is that of the page's first answer. */
export function follow(id: string, position: number): void {
  if (id !== workspaceId) {
    workspaceId = id
    head.value = position
    headTime.value = ''
    connection.value = 'connecting'
    caughtUp.value = null
    cutAt = null
    asked = ''
    // Positions are those of a workspace: whoever goes on listening has heard of nothing in this one.
    for (const one of subscriptions.keys()) subscriptions.set(one, position || -1)
  } else if (position > head.peek()) head.value = position
  ask()
}

/** Begin again after the session was renewed. */
export function resume(): void {
  asked = ''
  ask()
}

/** Hear of a position from elsewhere: an answer's header. */
export function heardOf(position: number): void {
  if (position > head.peek()) head.value = position
}

let gathering = false

function ask(): void {
  if (gathering) return
  gathering = true
  queueMicrotask(() => {
    gathering = false
    if (!workspaceId || !subscriptions.size) return
    const topics = new Map<string, number>()
    for (const [{ topics: names }, heard] of subscriptions) {
      for (const name of names) topics.set(name, Math.min(heard, topics.get(name) ?? Infinity))
    }
    const key = `${workspaceId} ${[...topics.keys()].sort().join(' ')}`
    if (key === asked) return
    asked = key
    send ??= open()
    send({ kind: 'want', workspaceId, topics: [...topics] })
  })
}

function open(): (message: ToHub) => void {
  addEventListener('online', () => send?.({ kind: 'nudge' }))
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) send?.({ kind: 'nudge' })
  })
  return globalThis.SharedWorker ? share() : alone()
}

function share(): (message: ToHub) => void {
  const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'signalbox' })
  const port = worker.port
  port.onmessage = ({ data }: MessageEvent<FromHub>) => take(data)
  const lock = `signalbox-tab-${randomName()}`
  // Told once it is held: a worker that asked for it sooner would get it, and take the tab for gone.
  void navigator.locks?.request(lock, () => {
    port.postMessage({ kind: 'alive', lock })
    return new Promise(() => {})
  })
  addEventListener('pagehide', () => port.postMessage({ kind: 'bye' }))
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) resume()
  })
  return (message) => port.postMessage(message)
}

/** Without shared workers each tab has a connection of its own while it is looked at, and gives it back when hidden. */
function alone(): (message: ToHub) => void {
  const hub = import('./hub.ts').then(({ Hub }) => new Hub())
  const listener = { post: take }
  const say = (message: ToHub) => void hub.then((there) => there.take(listener, message))
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) say({ kind: 'bye' })
    else resume()
  })
  return say
}

function take(message: FromHub): void {
  // What was on its way when the tab turned to another workspace is not about that one.
  if (message.workspaceId !== workspaceId) return
  if (message.kind === 'state') return turn(message.state)
  const { frame } = message
  heardAt.value = Date.now()
  if (frame.kind === 'reset') {
    for (const one of [...subscriptions.keys()]) {
      if (!subscriptions.has(one)) continue
      again(one, Math.max(frame.position, subscriptions.get(one) ?? -1), frame.position)
    }
    return
  }
  begin(frame.kind === 'patch' ? frame.patch.position : frame.position)
  batch(() => {
    const { position, time } = frame.kind === 'patch' ? frame.patch : frame
    if (position >= head.peek()) {
      head.value = position
      if (time && frame.kind === 'patch') headTime.value = time
    }
    if (frame.kind === 'beat') heardTime(frame.time)
    if (frame.kind === 'patch') hand(frame.patch)
    if (cutAt && position >= cutAt.position) {
      caughtUp.value = { events: position - cutAt.position, seconds: Math.round((Date.now() - cutAt.ms) / 1000) }
      cutAt = null
    }
  })
}

/** Whoever listened before any position was known hears from here on, and asked some time before: what changed in between is in no frame. */
function begin(position: number): void {
  for (const [one, heard] of [...subscriptions]) {
    if (heard >= 0 || !subscriptions.has(one)) continue
    again(one, position, position)
  }
}

function again(one: Subscription, upTo: number, position: number): void {
  subscriptions.set(one, upTo)
  one.reset?.(position)
  one.heard?.(position, 1)
}

function hand({ rows, touched, events, position }: Patch): void {
  for (const [one, heard] of [...subscriptions]) {
    // One that was told before may have made it leave.
    if (!subscriptions.has(one)) continue
    subscriptions.set(one, Math.max(heard, position))
    const mine = rows.filter(([topic]) => one.topics.includes(topic))
    if (mine.length) one.rows?.(mine, position)
    const named = touched.filter(([topic, id]) => one.topics.includes(topic) || one.topics.includes(`${topic}:${id}`))
    const happened = one.topics.includes('events') ? events : []
    if (happened.length) one.events?.(happened, position)
    const changes = mine.length + named.length + happened.length
    if (changes) one.heard?.(position, changes)
  }
}

function turn(state: FeedState): void {
  if (state === 'cut' && connection.peek() === 'live') cutAt = { position: head.peek(), ms: heardAt.peek() }
  connection.value = state
  if (state === 'live') heardAt.value = Date.now()
}

effect(() => {
  if (!caughtUp.value) return
  const timer = setTimeout(() => (caughtUp.value = null), 8_000)
  return () => clearTimeout(timer)
})
