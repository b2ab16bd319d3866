/** What waits for an approval, as rows that the stream keeps true; and how rows are grouped. */
import { signal, useSignalEffect } from '@preact/signals'
import { addressOf, getFrom, session } from '../../api/client.ts'
import { ApiError } from '../../api/error.ts'
import type { BoardApproval, BoardApprovals } from '../../api/schema'
import { subscribe } from '../../live/link.ts'
import { Rows } from '../../live/rows.ts'
import { at } from '../../router/location.ts'

export interface Inbox {
  rows: Rows<BoardApproval>
  /** Whether there was an answer yet. */
  there: { readonly value: boolean }
  error: { readonly value: ApiError | null }
  reload(): void
}

const rows = new Rows<BoardApproval>()
const there = signal(false)
const error = signal<ApiError | null>(null)
let again = () => {}

/** Keep the rows true for as long as the page is shown. */
export function useInbox(): Inbox {
  useSignalEffect(() => {
    const address = addressOf('/api/v1/workspaces/{workspaceId}/board/approvals')
    const past = at.value !== null
    void session.value
    const gone = new AbortController()
    let leave = () => {}
    const load = async () => {
      try {
        const found = await getFrom<BoardApprovals>(address, gone.signal)
        if (gone.signal.aborted) return
        rows.seed(
          found.items.map((one) => [one.key, one]),
          found.position,
        )
        there.value = true
        error.value = null
        leave()
        if (!past) leave = subscribe({ topics: ['approvals'], since: found.position, rows: take, reset: () => void load() })
      } catch (failure) {
        if (!gone.signal.aborted) error.value = failure instanceof ApiError ? failure : new ApiError(0, String(failure))
      }
    }
    again = () => void load()
    there.value = false
    void load()
    return () => {
      gone.abort()
      leave()
    }
  })
  return { rows, there, error, reload: () => again() }
}

function take(changed: [topic: string, key: string, row: unknown][], position: number): void {
  rows.patch(
    changed.filter(([topic]) => topic === 'approvals').map(([, key, row]) => [key, row as BoardApproval | null] as const),
    position,
  )
}
