/** What a freeze holds, or would: asked of the server, which knows every target. */
import { type Signal, useComputed, useSignal, useSignalEffect } from '@preact/signals'
import { type Body, send } from '../../api/client.ts'
import { ApiError } from '../../api/error.ts'
import type { HeldTargets } from '../../api/schema'
import type { Scoped } from './words.ts'

type Asked = Body<'/api/v1/workspaces/{workspaceId}/freezes/effect', 'post'>

export interface WouldHold {
  held: Signal<HeldTargets | null>
  /** Why it can not be told. */
  problem: Signal<ApiError | null>
}

const DEBOUNCE_MS = 150

/** What freezing this would hold now. `of` may change; nothing is asked for a scope that is not chosen yet. */
export function useWouldHold(of: Signal<Scoped>): WouldHold {
  const held = useSignal<HeldTargets | null>(null)
  const problem = useSignal<ApiError | null>(null)
  // How long it is frozen changes nothing of what is held now.
  const what = useComputed(() => JSON.stringify([of.value.scope, of.value.scopeId ?? '', (of.value.selector ?? '').trim()]))
  useSignalEffect(() => {
    const [scope, scopeId, selector] = JSON.parse(what.value) as [Scoped['scope'], string, string]
    // What was counted for something else is no answer to this.
    held.value = null
    problem.value = null
    if (scope !== 'workspace' && !scopeId) return
    const gone = new AbortController()
    const ask = async () => {
      try {
        const body = { scope, ...(scope === 'workspace' ? {} : { scopeId }), ...(selector ? { selector } : {}) } as Asked
        held.value = await send('post', '/api/v1/workspaces/{workspaceId}/freezes/effect', { body, signal: gone.signal })
        problem.value = null
      } catch (failure) {
        if (!gone.signal.aborted) problem.value = failure instanceof ApiError ? failure : new ApiError(0, String(failure))
      }
    }
    const timer = setTimeout(() => void ask(), DEBOUNCE_MS)
    return () => {
      clearTimeout(timer)
      gone.abort()
    }
  })
  return { held, problem }
}
