/** The facts of the log as a list that grows at its top while somebody looks at the top, and keeps still while they read further down. */
import { useSignal, useSignalEffect } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { type Answer, addressOf, getFrom, session } from '../../api/client.ts'
import { Coalesced } from '../../api/coalesce.ts'
import { ApiError } from '../../api/error.ts'
import { subscribe } from '../../live/link.ts'
import { at } from '../../router/location.ts'
import { EventPages, type Ask } from './pages.ts'
import { mayFit } from './words.ts'

const PATH = '/api/v1/workspaces/{workspaceId}/events'
export type EventPage = Answer<typeof PATH, 'get'>
export type LogEvent = EventPage['items'][number]

export interface Filter {
  types: string
  subject: string
  text: string
}

/** So many facts are kept at the top; with more the list is opened anew. */
const MOST_FRESH = 2_000

export function useEvents(filter: Filter, follows: () => boolean) {
  const pages = useSignal<EventPages<LogEvent> | null>(null)
  const drawn = useSignal(0)
  const waiting = useSignal<readonly LogEvent[]>([])
  const names = useRef<Record<string, string>>({})
  const error = useSignal<ApiError | null>(null)
  const again = useSignal(0)
  /** How many of those that wait are counted only, and up to where: somebody may hold them back for days. */
  const counted = useSignal({ count: 0, upTo: 0 })
  const seen = useRef<[number, number]>([0, 40])
  const asks = useRef<(from: number, to: number) => void>(() => {})
  const following = useRef(follows)
  following.current = follows
  const key = useSignal('')
  const given = JSON.stringify(filter)
  if (key.peek() !== given) key.value = given

  useSignalEffect(() => {
    const wanted = JSON.parse(key.value) as Filter
    void again.value
    void session.value
    const past = at.value !== null
    const gone = new AbortController()
    const base = { ...wanted, names: true }
    const fail = (failure: unknown) => {
      if (!gone.signal.aborted) error.value = failure instanceof ApiError ? failure : new ApiError(0, String(failure))
    }
    const read = async (query: Record<string, string | number>) => {
      const page = await getFrom<EventPage>(addressOf(PATH, { query: { ...base, ...query } }), gone.signal)
      Object.assign(names.current, page.names)
      return page
    }
    const ask = async (one: Ask) => {
      const list = pages.peek()
      try {
        const page = await read({ before: one.before, limit: one.limit, order: 'desc' })
        list?.take(one, { items: page.items, next: page.next ?? 0 })
      } catch (failure) {
        list?.take(one, null)
        return fail(failure)
      }
      if (gone.signal.aborted) return
      error.value = null
      drawn.value += 1
      // A part may have nothing and still lead on; and what is in sight may not be filled yet.
      asks.current(...seen.current)
    }
    asks.current = (from, to) => {
      seen.current = [from, to]
      for (const one of pages.peek()?.wanted(from, to) ?? []) void ask(one)
    }
    let opening: Promise<void> | null = null
    const open = () => (opening ??= begin().finally(() => (opening = null)))
    const begin = async () => {
      try {
        const page = await read({ limit: 100, order: 'desc' })
        const whole = !wanted.types && !wanted.subject && !wanted.text
        const list = new EventPages<LogEvent>(page.position, whole)
        const [first] = list.wanted(0, 1)
        if (first) list.take(first, { items: page.items, next: page.next ?? 0 })
        waiting.value = []
        counted.value = { count: 0, upTo: 0 }
        error.value = null
        pages.value = list
        asks.current(...seen.current)
      } catch (failure) {
        fail(failure)
      }
    }
    const newest = () => Math.max(pages.peek()?.newest ?? 0, waiting.peek().at(-1)?.position ?? 0, counted.peek().upTo)
    const catchUp = async () => {
      // The list that is being opened may end before what was just told.
      await opening
      if (gone.signal.aborted) return
      if (!pages.peek()) return open()
      try {
        let after = newest()
        for (;;) {
          const page = await read({ after, limit: 500, order: 'asc' })
          if (page.items.length) arrive(page.items)
          if (!page.next) return
          after = page.next
        }
      } catch (failure) {
        fail(failure)
      }
    }
    const arrive = (items: readonly LogEvent[]) => {
      const list = pages.peek()
      if (!list) return
      if (following.current()) {
        if (counted.peek().count) return void open().then(touch)
        list.prepend([...waiting.peek(), ...items])
        waiting.value = []
        drawn.value += 1
        if (list.freshCount > MOST_FRESH) void open().then(touch)
      } else if (counted.peek().count || waiting.peek().length + items.length > MOST_FRESH) {
        counted.value = { count: counted.peek().count + items.length, upTo: items.at(-1)?.position ?? counted.peek().upTo }
      } else waiting.value = [...waiting.peek(), ...items]
    }
    const coalesced = new Coalesced(catchUp, 200)
    const touch = () => coalesced.touch()
    const leave = past
      ? () => {}
      : subscribe({
          topics: ['events'],
          events: (heads) => {
            if (heads.some((one) => mayFit(one, wanted))) touch()
          },
          reset: touch,
        })
    void open()
    return () => {
      leave()
      coalesced.stop()
      gone.abort()
    }
  })

  return {
    get list() {
      void drawn.value
      return pages.value
    },
    get waiting() {
      return waiting.value.length + counted.value.count
    },
    get error() {
      return error.value
    },
    names: names.current,
    onWindow: (from: number, to: number) => asks.current(from, to),
    /** Show what waits. */
    show() {
      if (counted.peek().count) {
        again.value += 1
        return
      }
      pages.peek()?.prepend(waiting.peek())
      waiting.value = []
      drawn.value += 1
    },
    reload: () => (again.value += 1),
  }
}
