/** One feed for many tabs: the union of their topics, opened again when a topic joins, shared frame by frame.
 *
 * It runs in the shared worker, or in the tab itself where there are no shared workers.
 */
import { Feed, type FeedState, type World, WORLD } from './feed.ts'
import type { Frame } from './frames.ts'

export type ToHub =
  | { kind: 'want'; workspaceId: string; topics: [topic: string, since: number][] }
  | { kind: 'nudge' }
  | { kind: 'bye' }

/** Each says of which workspace it is: a tab that turns to another one hears of the first for a moment still. */
export type FromHub = { workspaceId: string } & ({ kind: 'frame'; frame: Frame } | { kind: 'state'; state: FeedState })

export interface Listener {
  post(message: FromHub): void
}

interface Line {
  feed: Feed
  topics: Set<string>
  wants: Map<Listener, readonly string[]>
  /** Set while a change of topics waits to be carried out together with others of the same moment. */
  since: number | null
}

/** Pages come and go with several subscriptions at once; one reconnection serves them all. */
const GATHER_MS = 20

export class Hub {
  readonly #lines = new Map<string, Line>()
  readonly #world: World

  constructor(world: World = WORLD) {
    this.#world = world
  }

  take(from: Listener, message: ToHub): void {
    if (message.kind === 'bye') this.#leave(from, null)
    else if (message.kind === 'nudge') for (const line of this.#lines.values()) line.feed.nudge()
    else this.#want(from, message.workspaceId, message.topics)
  }

  #want(from: Listener, workspaceId: string, topics: [string, number][]): void {
    this.#leave(from, workspaceId)
    const line = this.#line(workspaceId)
    line.wants.set(
      from,
      topics.map(([topic]) => topic),
    )
    from.post({ workspaceId, kind: 'state', state: line.feed.state })
    // A tab says up to where it has each topic: for one that begins, where its snapshot ends. Where that is behind what the feed has
    // heard, the feed goes back to it, and the tabs pass over what they have.
    const fresh = topics.filter(([topic, since]) => !line.topics.has(topic) || (since >= 0 && since < line.feed.position))
    if (!fresh.length && line.feed.state !== 'ended') return
    for (const [topic] of topics) line.topics.add(topic)
    const known = [line.since ?? line.feed.position, ...fresh.map(([, since]) => since)].filter((since) => since >= 0)
    const waits = line.since !== null
    line.since = known.length ? Math.min(...known) : -1
    if (!waits) this.#world.later(() => this.#reopen(line), GATHER_MS)
  }

  #reopen(line: Line): void {
    if (line.since === null || !line.wants.size) return
    line.topics = new Set([...line.wants.values()].flat())
    line.feed.open([...line.topics].sort(), line.since)
    line.since = null
  }

  #leave(from: Listener, except: string | null): void {
    for (const [workspaceId, line] of this.#lines) {
      if (workspaceId === except || !line.wants.delete(from) || line.wants.size) continue
      line.feed.close()
      this.#lines.delete(workspaceId)
    }
  }

  #line(workspaceId: string): Line {
    const there = this.#lines.get(workspaceId)
    if (there) return there
    const wants = new Map<Listener, readonly string[]>()
    const all = (message: FromHub) => wants.forEach((_, listener) => listener.post(message))
    const feed = new Feed(
      `/api/v1/workspaces/${workspaceId}/stream`,
      { frame: (frame) => all({ workspaceId, kind: 'frame', frame }), state: (state) => all({ workspaceId, kind: 'state', state }) },
      this.#world,
    )
    const line: Line = { feed, topics: new Set(), wants, since: null }
    this.#lines.set(workspaceId, line)
    return line
  }
}
