/** The moment that is looked at: a position of the log, told by the address; and the steps from one to the next. */
import { computed, effect, signal } from '@preact/signals'
import { getFrom, workspaceId } from '../api/client.ts'
import { fill } from '../api/address.ts'
import { head, subscribe } from '../live/link.ts'
import { at, setQuery } from '../router/location.ts'
import { pastTime } from './clock.ts'

/** What happened at a position. */
export interface Happened {
  position: number
  type: string
  subject: string
  time: string
}

export const past = computed(() => at.value !== null)

/** The fact at the position that is looked at, once it is known. */
export const happened = signal<Happened | null>(null)

/** The position that is looked at: told by the address, or found for a time; the head while the page is live. */
export const position = computed(() => {
  const asked = at.value
  if (asked === null) return head.value
  if (/^\d+$/.test(asked)) return Math.min(Number(asked), head.value || Number(asked))
  return happened.value?.position ?? head.value
})

/** Look at a position; null, or the head and beyond: back to live. */
export function lookAt(to: number | null): void {
  const live = to === null || to >= head.peek()
  setQuery({ at: live ? null : Math.max(1, Math.round(to)) })
}

/** One event back or forth. A step back from live shows the world before the newest event. */
export function step(by: number): void {
  if (at.peek() === null && by > 0) return
  lookAt(position.peek() + by)
}

interface Events {
  items: { position: number; type: string; subject: string; recordedtime: string }[]
  position: number
}

/** The newest fact up to a position, or to a time. */
async function factAt(id: string, asked: string, signal: AbortSignal): Promise<Happened | null> {
  const query = /^\d+$/.test(asked) ? { before: Number(asked) + 1 } : { at: asked }
  const address = fill('/api/v1/workspaces/{id}/events', { id }, { ...query, order: 'desc', limit: 1 })
  const { items } = await getFrom<Events>(address, signal)
  const first = items[0]
  return first ? { position: first.position, type: first.type, subject: first.subject, time: first.recordedtime } : null
}

effect(() => {
  const asked = at.value
  const id = workspaceId.value
  if (asked === null || !id) {
    happened.value = null
    pastTime.value = null
    return
  }
  const told = /^\d+$/.test(asked) ? Number.NaN : Date.parse(asked)
  if (!Number.isNaN(told)) pastTime.value = told
  const gone = new AbortController()
  // While the slider is dragged there is a position for every frame; only where it rests is asked for.
  const timer = setTimeout(async () => {
    try {
      const found = await factAt(id, asked, gone.signal)
      happened.value = found
      if (found && Number.isNaN(told)) pastTime.value = Date.parse(found.time)
    } catch {
      if (!gone.signal.aborted) happened.value = null
    }
  }, 120)
  return () => {
    clearTimeout(timer)
    gone.abort()
  }
})

/** The head goes on while the past is looked at: the slider's right end is true, and going back to live is instant. */
effect(() => (past.value ? subscribe({ topics: ['matrix'] }) : undefined))
