/** A policy while it is written, and what the server says of it: whom it would apply to, or what is wrong where. */
import { type Signal, batch, useComputed, useSignal, useSignalEffect } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { type Body, send } from '../../api/client.ts'
import { Coalesced } from '../../api/coalesce.ts'
import { ApiError } from '../../api/error.ts'
import type { PolicyPreview } from '../../api/schema'
import { subscribe } from '../../live/link.ts'
import { at } from '../../router/location.ts'
import type { Draft } from '../../rules/forms.ts'

const PREVIEW_MS = 300
const AGAIN_MS = 4_000
export const SHOWN = 100

export interface Drafted {
  draft: Signal<Draft>
  /** Whether it differs from what is saved. */
  changed: Signal<boolean>
  preview: Signal<PolicyPreview | undefined>
  /** Which draft the preview is of: the newest one is counted a moment later. */
  counted: Signal<Draft | null>
  /** Why it could not be saved as it is. */
  refused: Signal<ApiError | null>
  asking: Signal<boolean>
  /** Why what is typed as text is no policy; the draft is what was read last. */
  unreadable: Signal<string>
  /** What is wrong at a place, such as `rules.0.anyApproval.minApprovals`. */
  wrong(where: string): { message: string; line?: number; column?: number } | null
  set(change: Partial<Draft>): void
  /** Take what is saved now, unless something was changed here; whether there are now two of them. */
  elsewhere(saved: Draft): boolean
  reset(to: Draft): void
}

export type PreviewBody = Body<'/api/v1/workspaces/{workspaceId}/policies/preview', 'post'>

export function useDraft(begun: Draft, policyId: string | null): Drafted {
  const draft = useSignal(begun)
  const saved = useSignal(begun)
  const changed = useComputed(() => JSON.stringify(draft.value) !== JSON.stringify(saved.value))
  const preview = useSignal<PolicyPreview | undefined>(undefined)
  const counted = useSignal<Draft | null>(null)
  const refused = useSignal<ApiError | null>(null)
  const asking = useSignal(false)
  const unreadable = useSignal('')
  const first = useRef(true)
  const again = useSignal(0)
  const basis = useRef(JSON.stringify(begun))

  // What it holds changes with what happens; each count is a look at all targets, so not at every event.
  useSignalEffect(() => {
    if (at.value !== null) return
    const coalesced = new Coalesced(async () => void (again.value += 1), AGAIN_MS)
    const leave = subscribe({ topics: ['matrix'], heard: () => (document.hidden ? undefined : coalesced.touch()) })
    return () => {
      leave()
      coalesced.stop()
    }
  })

  useSignalEffect(() => {
    const given = draft.value
    void again.value
    // The past can not be changed, so there is nothing to try.
    if (at.value !== null) return
    const gone = new AbortController()
    const ask = async () => {
      asking.value = true
      try {
        const body = { ...given, ...(policyId ? { policyId } : {}) } as unknown as PreviewBody
        const found = await send('post', '/api/v1/workspaces/{workspaceId}/policies/preview', { query: { limit: SHOWN }, body, signal: gone.signal })
        if (gone.signal.aborted) return
        batch(() => {
          preview.value = found
          counted.value = given
          refused.value = null
        })
      } catch (failure) {
        if (!gone.signal.aborted) refused.value = failure instanceof ApiError ? failure : new ApiError(0, String(failure))
      } finally {
        if (!gone.signal.aborted) asking.value = false
      }
    }
    const timer = setTimeout(() => void ask(), first.current ? 0 : PREVIEW_MS)
    first.current = false
    return () => {
      clearTimeout(timer)
      gone.abort()
    }
  })
  return {
    draft,
    changed,
    preview,
    counted,
    refused,
    asking,
    unreadable,
    wrong: (where) => refused.value?.findings.find((one) => one.where === where || one.where.startsWith(`${where}.`)) ?? null,
    set: (change) => (draft.value = { ...draft.peek(), ...change }),
    elsewhere: (now) => {
      const text = JSON.stringify(now)
      if (text === basis.current) return false
      if (changed.peek() && JSON.stringify(draft.peek()) !== text) return true
      basis.current = text
      // Not while drawing: what is drawn now reads these.
      queueMicrotask(() => batch(() => void ((draft.value = now), (saved.value = now))))
      return false
    },
    reset: (to) => {
      basis.current = JSON.stringify(to)
      draft.value = to
      saved.value = to
    },
  }
}
