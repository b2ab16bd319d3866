/** The facts that a filter picks, as a file of JSON lines, newest first. */
import { addressOf, getFrom } from '../../api/client.ts'
import type { EventPage, Filter } from './useEvents.ts'

export const MOST_EXPORTED = 10_000

/** Reads at most `MOST_EXPORTED` facts and has the browser save them; tells how many there are so far. */
export async function exportEvents(filter: Filter, tell: (count: number) => void): Promise<number> {
  const lines: string[] = []
  let before: number | undefined
  do {
    const query = { ...filter, order: 'desc', limit: Math.min(1_000, MOST_EXPORTED - lines.length), before }
    const page: EventPage = await getFrom<EventPage>(addressOf('/api/v1/workspaces/{workspaceId}/events', { query }))
    for (const one of page.items) lines.push(JSON.stringify(one))
    tell(lines.length)
    before = page.next
  } while (before && lines.length < MOST_EXPORTED)
  const address = URL.createObjectURL(new Blob([lines.map((line) => `${line}\n`).join('')], { type: 'application/x-ndjson' }))
  const link = document.createElement('a')
  link.href = address
  link.download = 'events.jsonl'
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
  return lines.length
}
