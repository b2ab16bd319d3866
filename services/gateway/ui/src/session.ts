/** Who is signed in and which workspace is shown: from the page's boot state, else asked for. */
import { computed, effect, signal } from '@preact/signals'
import { type Session, expired, getFrom, sendTo, session, workspaceId } from './api/client.ts'
import { ApiError } from './api/error.ts'
import { seedFromBoot } from './board/board.ts'
import type { Board } from './board/types.ts'
import { follow, head, resume } from './live/link.ts'
import { go, href, place, slug } from './router/location.ts'
import { ownAddress } from './router/next.ts'

/** What the gateway puts into the page. */
interface Boot {
  version: string
  session: Session | null
  workspace: { id: string; name: string; slug: string } | null
  position: number | null
  board: Board | null
}

/** asking: not known yet; in; out; failed: the gateway could not be asked. */
export const standing = signal<'asking' | 'in' | 'out' | 'failed'>('asking')
export const standingError = signal<ApiError | null>(null)
export const version = signal('')

/** The workspace of the address; undefined: there is none of this name for whoever is signed in. */
export const workspace = computed(() => session.value?.workspaces.find((one) => one.slug === slug.value))

/** Take what came with the page, or ask who is signed in. */
export async function begin(): Promise<void> {
  const boot = JSON.parse(document.getElementById('boot')?.textContent || 'null') as Boot | null
  if (boot) {
    version.value = boot.version
    if (boot.session && boot.workspace) {
      follow(boot.workspace.id, boot.position ?? 0)
      if (boot.board) seedFromBoot(boot.board, boot.workspace.id)
    }
    enter(boot.session)
    return
  }
  try {
    enter(await getFrom<Session>('/api/session'))
  } catch (failure) {
    const error = failure instanceof ApiError ? failure : new ApiError(0, String(failure))
    if (error.status === 401) return enter(null)
    standingError.value = error
    standing.value = 'failed'
  }
}

export async function signIn(apiKey: string): Promise<void> {
  const opened = await sendTo<Session>('post', '/api/session', { apiKey })
  enter(opened)
  expired.value = false
  resume()
}

/** Raises: ApiError: it did not come about, and whoever asked for it is still signed in. */
export async function signOut(): Promise<void> {
  try {
    await sendTo('delete', '/api/session')
  } catch (failure) {
    if (!(failure instanceof ApiError) || failure.status !== 401) throw failure
  }
  enter(null)
  go('/signin')
}

function enter(opened: Session | null): void {
  session.value = opened
  standing.value = opened ? 'in' : 'out'
}

/** The page that somebody wanted who had to sign in first; only one of ours. */
export function wantedAfter(search: URLSearchParams): string {
  return ownAddress(search.get('next') ?? '', location.origin)
}

// The address decides which workspace is shown; whoever is at none is brought to one.
effect(() => {
  const there = workspace.value
  workspaceId.value = there?.id ?? ''
  if (!there) return
  follow(there.id, 0)
  if (!head.peek()) void learnPosition(there.id)
})

/** Without a position the stream would begin at an unknown place. One that came with the page makes this needless. */
async function learnPosition(id: string): Promise<void> {
  try {
    const { position } = await getFrom<{ position: number }>(`/api/v1/workspaces/${id}/events?order=desc&limit=1`)
    if (workspaceId.peek() === id) follow(id, position)
  } catch {
    // The stream tells it with its first beat.
  }
}

effect(() => {
  const at = place.value
  if (standing.value === 'out' && at?.name !== 'signin') {
    const here = location.pathname + location.search
    go(here === '/' ? '/signin' : `/signin?next=${encodeURIComponent(here)}`, { replace: true })
  }
  if (standing.value === 'in' && (at?.name === 'home' || at?.name === 'signin')) {
    const first = session.value?.workspaces[0]
    const next = wantedAfter(new URLSearchParams(location.search))
    if (next !== '/') go(next, { replace: true })
    else if (first) go(href('overview', { w: first.slug }), { replace: true })
    else if (at.name === 'signin') go('/', { replace: true })
  }
})
