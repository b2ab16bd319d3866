/** A read of the API that stays true: asked again, coalesced, when one of its topics is touched; asked as of the moment that is looked at. */
import { type Signal, batch, effect, useComputed, useSignal, useSignalEffect } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { subscribe } from '../live/link.ts'
import { at } from '../router/location.ts'
import { type Answer, type Asked, type PathWith, addressOf, getFrom, session } from './client.ts'
import { Coalesced } from './coalesce.ts'
import { ApiError, errorOf, isBehind } from './error.ts'

export interface Queried<T> {
  /** The newest answer; while another is asked for the one before stays. */
  readonly data: Signal<T | undefined>
  readonly error: Signal<ApiError | null>
  /** Nothing to show yet and it takes longer than people notice: time for a skeleton. */
  readonly slow: Signal<boolean>
  /** An answer is on its way. */
  readonly busy: Signal<boolean>
  /** Ask again, for an answer that shows what was `heard` of. */
  reload(heard?: number): void
}

export interface Wanted extends Omit<Asked, 'signal'> {
  /** The stream's topics whose touch makes it ask again, e.g. `target:{key}`, `jobs`. */
  topics?: readonly string[]
  /** How long it may be old, in ms, where a topic is touched far more often than the answer changes. */
  patience?: number
  /** false: not asked (yet). */
  when?: boolean
}

const GRACE_MS = 120
const KEPT = 40

/** Answers by address, the last few: going back shows at once what was there, and then asks whether it still holds. */
const kept = new Map<string, unknown>()
// Whoever signs in after somebody signed out may be somebody else.
effect(() => (session.value ? undefined : kept.clear()))

/** Ask the API for what the page shows.
 *
 *     const jobs = useQuery('/api/v1/workspaces/{workspaceId}/jobs', { query: { limit: 50 }, topics: ['jobs'] })
 */
export function useQuery<P extends PathWith<'get'>>(template: P, wanted: Wanted = {}): Queried<Answer<P, 'get'>> {
  return useAddress<Answer<P, 'get'>>(template, wanted)
}

/** As `useQuery`, for an address that the contract does not name; the caller says what comes back. */
export function useAddress<T>(template: string, wanted: Wanted = {}): Queried<T> {
  const data = useSignal<T | undefined>(undefined)
  const error = useSignal<ApiError | null>(null)
  const slow = useSignal(false)
  const busy = useSignal(false)
  const asks = useRef<Coalesced | null>(null)
  const patience = useRef(wanted.patience)

  const given = JSON.stringify([template, wanted.path, wanted.query, wanted.topics ?? [], wanted.when ?? true, wanted.timeless ?? false])
  const key = useSignal(given)
  if (key.peek() !== given) key.value = given

  const address = useComputed(() => {
    const [path, parts, query, , when, timeless] = JSON.parse(key.value) as [string, Asked['path'], Asked['query'], string[], boolean, boolean]
    return when ? addressOf(path, { path: parts ?? {}, query: query ?? {}, timeless }) : ''
  })

  useSignalEffect(() => {
    const url = address.value
    const [, , , topics, , timeless] = JSON.parse(key.peek()) as [string, unknown, unknown, string[], boolean, boolean]
    const past = at.value !== null && !timeless
    // Somebody signed in again: what was refused meanwhile is asked for anew.
    void session.value
    if (!url) {
      busy.value = false
      return
    }
    const gone = new AbortController()
    batch(() => {
      error.value = null
      if (kept.has(url)) data.value = kept.get(url) as T
    })
    const grace = setTimeout(() => (slow.value = data.peek() === undefined), GRACE_MS)
    const ask = async (): Promise<void> => {
      busy.value = true
      try {
        const answer = await getFrom<T>(url, gone.signal, coalesced.heard)
        if (gone.signal.aborted) return
        keep(url, answer)
        batch(() => {
          data.value = answer
          error.value = null
        })
      } catch (failure) {
        if (gone.signal.aborted) return
        if (isBehind(failure)) return coalesced.behind()
        error.value = failure instanceof ApiError ? failure : errorOf(0, { message: String(failure) })
      } finally {
        if (!gone.signal.aborted) {
          clearTimeout(grace)
          batch(() => {
            busy.value = false
            slow.value = false
          })
        }
      }
    }
    const coalesced: Coalesced = new Coalesced(ask, patience.current)
    asks.current = coalesced
    // Listen first, ask then: what changes between the two is told, not lost.
    const leave = topics.length && !past ? subscribe({ topics, heard: (position) => coalesced.touch(position) }) : () => {}
    void coalesced.now()
    return () => {
      leave()
      coalesced.stop()
      gone.abort()
      clearTimeout(grace)
    }
  })

  return { data, error, slow, busy, reload: (heard) => void asks.current?.now(heard) }
}

function keep(url: string, answer: unknown): void {
  kept.delete(url)
  kept.set(url, answer)
  const oldest = kept.keys().next().value
  if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest)
}
