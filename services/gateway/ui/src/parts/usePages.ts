/** A server's list, page by page: what is in sight is asked for, what was there is kept. */
import { batch, useSignal, useSignalEffect } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { getFrom, session } from '../api/client.ts'
import { Coalesced } from '../api/coalesce.ts'
import { ApiError, isBehind } from '../api/error.ts'
import { subscribe } from '../live/link.ts'
import { at } from '../router/location.ts'
import { pagesOf } from './window.ts'

/** What lists of the API answer with. */
export interface Page<T> {
  items: readonly T[]
  total: number
}

export interface Paged<T> {
  readonly count: number
  /** false until the first answer. */
  readonly there: boolean
  readonly error: ApiError | null
  row(index: number): T | undefined
  onWindow(from: number, to: number): void
  /** Ask again, for an answer that shows what was `heard` of. */
  reload(heard?: number): void
}

/** Pages further than this from the newest one go, so that a long list takes the room of some thousand rows. */
const MOST_AWAY = 20

/** A list by its address (without `limit` and `offset`); `topics` make the pages in sight be asked for again.
 *
 *     const jobs = usePages<Job>((limit, offset) => addressOf('/api/v1/…/jobs', { query: { limit, offset } }), ['jobs'])
 *     <List count={jobs.count} row={jobs.row} onWindow={jobs.onWindow} … />
 *
 * `read` turns an answer of another form into a page.
 */
export function usePages<T, A = Page<T>>(
  address: (limit: number, offset: number) => string,
  topics: readonly string[] = [],
  read: (answer: A) => Page<T> = (answer) => answer as unknown as Page<T>,
  size = 100,
): Paged<T> {
  const pages = useRef(new Map<number, readonly T[]>())
  /** Those of the address before: they stay until the first of this one is there. */
  const previous = useRef(new Map<number, readonly T[]>())
  const asking = useRef(new Map<number, Promise<void>>())
  /** Which list it is: what was asked for one before is no answer to this. */
  const turn = useRef(0)
  const window = useRef<[number, number]>([0, size])
  const count = useSignal(0)
  const there = useSignal(false)
  const error = useSignal<ApiError | null>(null)
  const drawn = useSignal(0)
  const base = useSignal('')
  const now = address(size, 0)
  if (base.peek() !== now) base.value = now
  const make = useRef(address)
  make.current = address
  const reload = useRef((_?: number) => {})
  const behind = useRef(() => {})
  /** The newest position that was heard of: what is scrolled to shows it too, whoever answers. */
  const newest = useRef((): number => 0)

  const load = async (number: number, again: boolean, heard: number) => {
    const of = turn.current
    const before = asking.current.get(number)
    if (before) {
      if (!again) return
      // What is on its way may be from before the change.
      await before
      if (of !== turn.current) return
    }
    const mine = fetchPage(number, of, heard)
    asking.current.set(number, mine)
    await mine
    if (asking.current.get(number) === mine) asking.current.delete(number)
  }
  const fetchPage = async (number: number, of: number, heard: number) => {
    try {
      const answer = await getFrom<A>(make.current(size, number * size), undefined, heard)
      if (of !== turn.current) return
      const page = read(answer)
      batch(() => {
        pages.current.set(number, page.items)
        for (const other of pages.current.keys()) if (Math.abs(other - number) > MOST_AWAY) pages.current.delete(other)
        previous.current.clear()
        count.value = page.total
        there.value = true
        error.value = null
        drawn.value += 1
      })
    } catch (failure) {
      if (of !== turn.current) return
      if (isBehind(failure)) return behind.current()
      error.value = failure instanceof ApiError ? failure : new ApiError(0, String(failure))
    }
  }
  const fetchWindow = async (again: boolean, heard = 0) => {
    const [from, to] = window.current
    const wanted = pagesOf(from, Math.max(to, 1), size)
    if (again) for (const number of pages.current.keys()) if (!wanted.includes(number)) pages.current.delete(number)
    await Promise.all(wanted.filter((number) => again || !pages.current.has(number)).map((number) => load(number, again, heard)))
  }

  const names = topics.join(' ')
  useSignalEffect(() => {
    void base.value
    // Somebody signed in again: what was refused meanwhile is asked for anew.
    void session.value
    turn.current += 1
    if (pages.current.size) previous.current = pages.current
    pages.current = new Map()
    asking.current = new Map()
    const coalesced: Coalesced = new Coalesced(() => fetchWindow(true, coalesced.heard), 250)
    const leave = names && at.value === null ? subscribe({ topics: names.split(' '), heard: (position) => coalesced.touch(position) }) : () => {}
    behind.current = () => coalesced.behind()
    newest.current = () => coalesced.heard
    reload.current = (heard) => void coalesced.now(heard)
    void coalesced.now()
    return () => {
      leave()
      coalesced.stop()
    }
  })

  return {
    get count() {
      return count.value
    },
    get there() {
      return there.value
    },
    get error() {
      return error.value
    },
    row(index) {
      void drawn.value
      const page = Math.floor(index / size)
      return (pages.current.get(page) ?? previous.current.get(page))?.[index % size]
    },
    onWindow(from, to) {
      window.current = [from, to]
      if (there.peek()) void fetchWindow(false, newest.current())
    },
    reload: (heard) => reload.current(heard),
  }
}
