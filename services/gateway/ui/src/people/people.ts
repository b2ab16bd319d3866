/** What people are called. The API records ids; the names of all of a workspace are asked for once, when the first is to be told. */
import { effect, signal } from '@preact/signals'
import { get, session, workspaceId } from '../api/client.ts'

const names = signal<ReadonlyMap<string, string>>(new Map())
/** Ids that nobody was called by the last time they were asked for: they are not asked for again with every look. */
const strangers = new Set<string>()
let asking = false
/** Whose names they are: an answer to the one before is none to this. */
let turn = 0
/** Until when nobody is asked, after a failure. */
let pausedUntil = 0
const PAUSE_MS = 30_000

// Of another workspace, or of somebody else's look at it, nothing is known.
effect(() => {
  void workspaceId.value
  void session.value?.user.id
  turn += 1
  asking = false
  pausedUntil = 0
  names.value = new Map()
  strangers.clear()
})

/** The name of a person by id; undefined: nobody is known by it, or not yet. It draws anew what reads it, once it is known. */
export function personName(id: string): string | undefined {
  const me = session.value?.user
  const known = names.value.get(id) ?? (me?.id === id ? me.name : undefined)
  if (known === undefined && !strangers.has(id)) ask(id)
  return known
}

function ask(id: string): void {
  if (!workspaceId.peek() || Date.now() < pausedUntil) return
  strangers.add(id)
  if (asking) return
  asking = true
  const of = turn
  // All that is drawn now is drawn first: the ids of one look are answered by one question.
  queueMicrotask(async () => {
    if (of !== turn) return
    try {
      const { items } = await get('/api/v1/workspaces/{workspaceId}/people', { timeless: true })
      if (of === turn) names.value = new Map(items.map((one) => [one.id, one.name]))
    } catch {
      // Ids stand where names would; the page works without, and asks again in a while.
      if (of !== turn) return
      strangers.clear()
      pausedUntil = Date.now() + PAUSE_MS
    } finally {
      if (of === turn) asking = false
    }
  })
}
