/** How many targets each policy applies to and holds. The counts follow what happens, but not every event of it: each is a look at all targets. */
import { useSignalEffect } from '@preact/signals'
import { Coalesced } from '../../api/coalesce.ts'
import type { PolicyReach } from '../../api/schema'
import { type Queried, useQuery } from '../../api/useQuery.ts'
import { subscribe } from '../../live/link.ts'
import { at } from '../../router/location.ts'

const EVERY_MS = 2_000

export interface Reach {
  asked: Queried<{ items: PolicyReach[] }>
  of(policyId: string): PolicyReach | undefined
}

export function useReach(): Reach {
  const asked = useQuery('/api/v1/workspaces/{workspaceId}/policies/reach', { topics: ['policies'] })
  useSignalEffect(() => {
    if (at.value !== null) return
    const coalesced: Coalesced = new Coalesced(async () => asked.reload(coalesced.heard), EVERY_MS)
    const leave = subscribe({ topics: ['matrix'], heard: (position) => coalesced.touch(position) })
    return () => {
      leave()
      coalesced.stop()
    }
  })
  return { asked, of: (policyId) => asked.data.value?.items.find((one) => one.policyId === policyId) }
}
