/** One connection to the stream: opened with topics, resumed from where it was, retried with patience. */
import { Events, type Frame, frameOf } from './frames.ts'

/** connecting: not there yet; live; cut: lost, retried; ended: the session is over, nothing is retried. */
export type FeedState = 'connecting' | 'live' | 'cut' | 'ended'

/** What a feed needs of the world; tests bring their own. */
export interface World {
  fetch(url: string, init: { signal: AbortSignal; headers: Record<string, string> }): Promise<Response>
  later(action: () => void, ms: number): () => void
  random(): number
}

export const WORLD: World = {
  fetch: (url, init) => fetch(url, { ...init, credentials: 'same-origin', cache: 'no-store' }),
  later: (action, ms) => {
    const timer = setTimeout(action, ms)
    return () => clearTimeout(timer)
  },
  random: Math.random,
}

const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 30_000
/** The gateway beats every 15 s; two missed beats and some mean that nobody is there, whatever the socket says. */
const SILENCE_MS = 40_000

/** How long to wait before the n-th retry (from 0), spread so that many browsers do not come back at once. */
export function patience(retry: number, random: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** retry, LONGEST_WAIT_MS) * (0.5 + random / 2)
}

export class Feed {
  /** The newest position that was heard, from which it resumes; -1: nothing yet. */
  position = -1
  state: FeedState = 'connecting'
  #retries = 0
  #open: AbortController | null = null
  #stopWaiting: (() => void) | null = null
  readonly #base: string
  readonly #told: { frame(frame: Frame): void; state(state: FeedState): void }
  readonly #world: World
  #topics: readonly string[] = []

  constructor(base: string, told: { frame(frame: Frame): void; state(state: FeedState): void }, world: World = WORLD) {
    this.#base = base
    this.#told = told
    this.#world = world
  }

  /** Open, or open anew, with these topics; `since` goes back further than what was heard, for a topic that is new. */
  open(topics: readonly string[], since: number): void {
    this.#topics = topics
    this.position = since
    this.#retries = 0
    // Somebody signed in again: from here on a cut is a cut, and is retried.
    if (this.state === 'ended') this.#tell('connecting')
    void this.#run()
  }

  /** Try at once: the network is back, or somebody looks. */
  nudge(): void {
    if (this.state !== 'cut') return
    this.#retries = 0
    void this.#run()
  }

  close(): void {
    this.#open?.abort()
    this.#open = null
    this.#stopWaiting?.()
  }

  async #run(): Promise<void> {
    this.close()
    const mine = new AbortController()
    this.#open = mine
    let deaf = () => {}
    const heard = () => {
      deaf()
      deaf = this.#world.later(() => mine.abort(), SILENCE_MS)
    }
    try {
      heard()
      const answer = await this.#world.fetch(this.#url(), { signal: mine.signal, headers: { accept: 'text/event-stream' } })
      if (this.#open !== mine) return
      if (answer.status === 401 || answer.status === 403) {
        this.#tell('ended')
        return
      }
      if (!answer.ok || !answer.body) throw new Error(`the stream answered ${answer.status}`)
      this.#tell('live')
      await this.#read(answer.body, mine, heard)
    } catch {
      // A cut is no news beyond the state that is told below.
    } finally {
      deaf()
    }
    if (this.#open !== mine || this.state === 'ended') return
    this.#tell('cut')
    this.#stopWaiting = this.#world.later(() => void this.#run(), patience(this.#retries, this.#world.random()))
    this.#retries += 1
  }

  async #read(body: ReadableStream<Uint8Array>, mine: AbortController, heard: () => void): Promise<void> {
    const events = new Events()
    const decoder = new TextDecoder()
    const reader = body.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done || this.#open !== mine) return
      heard()
      for (const { event, data } of events.take(decoder.decode(value, { stream: true }))) {
        const frame = frameOf(event, data)
        if (!frame) continue
        this.#retries = 0
        const position = frame.kind === 'patch' ? frame.patch.position : frame.position
        // A beat carries the head, which may be ahead of patches that are still held back to be coalesced.
        if (frame.kind !== 'beat' && position > this.position) this.position = position
        this.#told.frame(frame)
      }
    }
  }

  #url(): string {
    const since = this.position >= 0 ? `&since=${this.position}` : ''
    return `${this.#base}?topics=${this.#topics.map(encodeURIComponent).join(',')}${since}`
  }

  #tell(state: FeedState): void {
    this.state = state
    this.#told.state(state)
  }
}
