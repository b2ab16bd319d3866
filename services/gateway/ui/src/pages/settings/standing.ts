/** How a service stands. Pure. */
import type { Status } from '../../board/types.ts'

export interface Standing {
  look: Status
  word: string
  /** Events that it has not read yet; null: it is in another process, which nobody asked. */
  behind: number | null
}

/** So many events are read in a moment; more is worth a look. */
const MANY = 1_000

export function standingOf(service: { position: number | null; stopped: string }, head: number): Standing {
  const behind = service.position === null ? null : Math.max(0, head - service.position)
  if (service.stopped) return { look: 'failed', word: 'stopped', behind }
  if (behind === null) return { look: 'pending', word: 'runs elsewhere', behind }
  if (behind > MANY) return { look: 'progressing', word: 'catching up', behind }
  return { look: 'healthy', word: 'up to date', behind }
}
