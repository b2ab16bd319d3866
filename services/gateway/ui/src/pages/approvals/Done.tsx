/** What people decided, newest first. */
import { addressOf, getFrom } from '../../api/client.ts'
import type { DecidedApproval } from '../../api/schema'
import { useQuery } from '../../api/useQuery.ts'
import { Card } from '../../parts/base.tsx'
import { type Happening, History } from '../../parts/History.tsx'
import { Person } from '../../parts/Person.tsx'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { href } from '../../router/location.ts'

const DECIDED = '/api/v1/workspaces/{workspaceId}/board/approvals/decided' as const

export function Done() {
  const found = useQuery(DECIDED, { query: { limit: 50 }, topics: ['approvals'] })
  if (found.error.value) return <ErrorCard error={found.error.value} what="What was decided:" retry={found.reload} />
  if (!found.data.value) return found.slow.value ? <Skeleton lines={10} /> : null
  const { items, before } = found.data.value
  if (!items.length) {
    return (
      <Empty title="Nobody has decided anything yet">
        <p>Each approval and rejection will be listed here, with who gave it, why, and for what.</p>
      </Empty>
    )
  }
  return (
    <Card title="Decided">
      <History items={items.map(line)} before={before} older={older} />
    </Card>
  )
}

function line(one: DecidedApproval): Happening {
  return {
    position: one.position,
    time: one.decidedAt,
    status: one.status === 'approved' ? 'healthy' : one.status === 'rejected' ? 'failed' : 'pending',
    what: (
      <>
        <b>
          <Person by={one.name || one.userId} />
        </b> {one.status === 'withdrawn' ? 'took back what they said of' : one.status}{' '}
        {one.tag ? (
          <a class="link" href={href('version', { versionId: one.versionId })}>
            {one.deployment.name} {one.tag}
          </a>
        ) : (
          'a version that is gone'
        )}{' '}
        for {one.environment.name || 'an environment that is gone'}
      </>
    ),
    message: one.reason,
  }
}

async function older(before: number): Promise<{ items: Happening[]; before: number }> {
  const page = await getFrom<{ items: DecidedApproval[]; before: number }>(addressOf(DECIDED, { query: { limit: 50, before } }))
  return { items: page.items.map(line), before: page.before }
}
