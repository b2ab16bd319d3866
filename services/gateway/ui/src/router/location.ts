/** Where the reader is: the address as signals, and the ways to change it. */
import { batch, computed, signal } from '@preact/signals'
import { type Place, type RouteName, type RouteParams, type Search, pathOf, placeOf, searchOf, slugOf } from './routes.ts'

const path = signal(location.pathname)
const search = signal(location.search)

/** The page that is shown; null: an address of none. */
export const place = computed<Place | null>(() => placeOf(path.value))

/** The search parameters of the address. */
export const query = computed(() => new URLSearchParams(search.value))

/** The moment that the address asks for: a position or an RFC 3339 time; null: now. */
export const at = computed<string | null>(() => query.value.get('at') || null)

/** The slug of the workspace in the address, also where it names no page of it; '' where there is none. */
export const slug = computed(() => slugOf(path.value))

/** How often a reader went to another page: the frame moves the focus when it changes. */
export const visits = signal(0)

type Own<N extends RouteName> = Omit<RouteParams<N>, 'w'>
type Given<N extends RouteName> = keyof Own<N> extends never ? [params?: { w?: string }] : [params: Own<N> & { w?: string }]

/** The address of a page in this workspace. It keeps the moment that is looked at: a link in the past stays in the past. */
export function href<N extends RouteName>(name: N, ...rest: [...Given<N>, search?: Search]): string {
  const [params, more] = rest as unknown as [Record<string, string> | undefined, Search | undefined]
  const full = { w: slug.value, ...params } as RouteParams<N>
  return pathOf(name, full) + searchOf({ at: at.value, ...more })
}

/** Go to an address of ours. `replace` leaves no step in the history: for filters and the slider. */
export function go(to: string, { replace = false }: { replace?: boolean } = {}): void {
  const url = new URL(to, location.href)
  if (url.href === location.href) return
  const elsewhere = url.pathname !== location.pathname
  history[replace ? 'replaceState' : 'pushState'](null, '', url)
  read()
  if (elsewhere) visits.value += 1
}

/** Change search parameters of this page, leaving the others: null takes one away. */
export function setQuery(change: Search, { replace = true }: { replace?: boolean } = {}): void {
  const now = Object.fromEntries(query.peek()) as Search
  go(location.pathname + searchOf({ ...now, ...change }), { replace })
}

/** One search parameter as a value and a setter; the value is '' where it is not in the address. */
export function param(name: string): { get value(): string; set value(next: string) } {
  const found = computed(() => query.value.get(name) ?? '')
  return {
    get value() {
      return found.value
    },
    set value(next: string) {
      setQuery({ [name]: next || null })
    },
  }
}

function read(): void {
  batch(() => {
    path.value = location.pathname
    search.value = location.search
  })
}

addEventListener('popstate', () => {
  const before = path.peek()
  read()
  if (before !== location.pathname) visits.value += 1
})

/** Links are real <a>: a plain click on one of ours changes the page in place, any other click is the browser's. */
document.addEventListener('click', (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const link = (event.target as Element | null)?.closest?.('a[href]') as HTMLAnchorElement | null
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return
  if (link.pathname.startsWith('/api/') || link.pathname.startsWith('/assets/')) return
  if (link.hash && link.pathname === location.pathname) return
  event.preventDefault()
  go(link.href)
})
